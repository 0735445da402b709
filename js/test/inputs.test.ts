import { expect, it } from "vitest";
import { makeInputs } from "../src/inputs";
import type { Frame } from "../src/wire";

const pictureOf = (image: number) => ({ params: { image }, bytes: 12 }) as unknown as Frame;

it("asks for a picture once, and shows it whenever it is wanted again", () => {
  const asked: number[] = [];
  const shown: unknown[] = [];
  const inputs = makeInputs(
    (image) => asked.push(image),
    (frame) => shown.push(frame.params.image),
  );
  inputs.want(0);
  expect([asked, shown]).toEqual([[0], []]);
  inputs.take(pictureOf(0));
  inputs.want(1);
  inputs.want(0);
  expect([asked, shown]).toEqual([
    [0, 1],
    [0, 0],
  ]);
  inputs.take(pictureOf(1));
  expect(shown).toEqual([0, 0]);
  inputs.want(1);
  expect([asked.length, shown]).toEqual([2, [0, 0, 1]]);
  inputs.clear();
  inputs.want(1);
  expect(asked).toEqual([0, 1, 1]);
});
