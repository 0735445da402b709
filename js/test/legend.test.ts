// @vitest-environment jsdom
import { beforeEach, expect, it } from "vitest";
import { specialColours } from "../src/colormap";
import { makeLegend } from "../src/legend";
import { palette } from "../src/palettes";
import { mapsOf } from "./frames";
import { stubPage } from "./page";

const whole = { mode: "layer", low: 0, high: 1, diverging: false } as const;
const fixed = { mode: "fixed", low: 0, high: 1.5, diverging: false } as const;

beforeEach(() => {
  stubPage();
});

/** What the legend lists for two channels of three values, from -1 to 2. */
function listed(codes: number[], scale: typeof whole | typeof fixed): string[] {
  const legend = makeLegend();
  legend.show(mapsOf([2, 1, 3], codes, [-1, 0], [1, 2]), 0, {
    scale,
    colours: palette("viridis"),
    sort: "index",
  });
  return [...legend.box.querySelectorAll("li[data-on]")].map((item) => item.textContent ?? "");
}

const plain = [0, 126, 252, 0, 126, 252];

it.each([
  ["nothing where every value is drawn as it is", plain, whole, []],
  ["what is no number", [253, 126, 252, 0, 126, 252], whole, ["not a number"]],
  ["infinities, each by itself", [0, 126, 252, 0, 126, 254], whole, ["+infinity"]],
  ["the other", [0, 255, 252, 0, 126, 252], whole, ["-infinity"]],
  ["what a fixed scale cuts off", plain, fixed, ["below", "above"]],
])("lists %s", (_what, codes, scale, expected) => {
  expect(listed(codes, scale)).toEqual(expected);
});

it("shows the very colours that are drawn", () => {
  const samples = [...makeLegend().box.querySelectorAll<HTMLElement>("li i")];
  const colours = samples.map(({ style }) => style.background.replaceAll(" ", ""));
  expect(colours).toEqual(Object.values(specialColours).map((rgb) => `rgb(${rgb})`));
});
