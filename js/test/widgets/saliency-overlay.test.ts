// @vitest-environment jsdom
import { describe, expect, it, vi } from "vitest";
import type { ParameterInfo } from "../../src/parameters";
import { indexOf } from "../model";
import { colour, legend, open, opened, panel, pixels, set, status, two } from "../overlayview";
import { METHODS } from "../saliencymodel";
import { control, one, painted, stops } from "../viewpage";

describe("opening", () => {
  it("asks for the picture first, then for the quick methods, one after the other", () => {
    const model = open({ panels: [{ method: "rise" }, { method: "gradient" }] });
    model.answerAll();
    expect(model.sent.map(({ type, kind }) => kind ?? type)).toEqual([
      "hello",
      "input",
      "panel:1",
      "panel:0",
    ]);
    expect(model.last("panel:0")?.params).toEqual({
      method: "rise",
      parameters: {},
      target: null,
      image: 0,
      layer: null,
    });
  });

  it("draws the map over the picture and says what it explains, at what cost", () => {
    opened();
    // Absolute values 1 and 2 over red and blue, half and half.
    expect(pixels()).toEqual([
      [Math.floor(255 / 2 + (colour("gray", 128)[0] ?? 0) / 2 + 0.5), 64, 64],
      [128, 128, 255],
    ]);
    expect(one(".cnnviz-explained").textContent).toBe("Explains the logit of class cat, 4.5");
    expect(status()).toBe("25 forward passes, 3.2\u00a0s");
    expect(legend()).toContain("Absolute values, up to the largest, 2:");
  });

  it("says what it painted in the task that painted it", () => {
    const model = opened();
    const { seq } = model.last("panel:0") ?? {};
    expect(painted.at(-1)).toEqual({ method: "gradient", target: 3, seq, image: 0, panel: 0 });
    expect(one(".cnnviz").dataset).toMatchObject({
      cnnvizWidget: "saliency-overlay",
      shownMethod: "gradient",
      shownTarget: "3",
      shownSeq: `${seq}`,
    });
  });
});

describe("the look", () => {
  it.each([
    [
      "picture",
      [
        [255, 0, 0],
        [0, 0, 255],
      ],
    ],
    ["map", [colour("gray", 128), colour("gray", 255)]],
  ])("shows the %s alone, without a message", (show, expected) => {
    const model = opened();
    const before = model.sent.length;
    set("show", show);
    expect(pixels()).toEqual(expected);
    expect(control("opacity").disabled).toBe(true);
    expect(model.sent).toHaveLength(before);
  });

  it("draws signed values in colours that are centred on zero", () => {
    opened({ show: "map" });
    set("form", "signed");
    expect(pixels()).toEqual([colour("coolwarm", 191), colour("coolwarm", 0)]);
    expect(legend()).toBe("Signed values, centred on zero, up to the largest, 2:-22");
    set("form", "positive");
    expect(pixels()).toEqual([colour("gray", 255), colour("gray", 0)]);
    expect(legend()).toContain("Positive values, up to the largest, 1:");
  });

  it("says why no value is negative where the channels were reduced to their size", () => {
    const reduction = { label: "Channels", kind: "choice", low: null, high: null, help: "" };
    const choices = [
      ["sum", "sum"],
      ["l2", "root of squares"],
    ] as const;
    const parameters = [
      { name: "reduction", default: "l2", choices, ...reduction } as ParameterInfo,
    ];
    const methods = METHODS.map((method) => ({ ...method, parameters }));
    opened({ _methods: methods });
    expect(one(".cnnviz-note").textContent).toBe("");
    set("form", "signed");
    expect(one(".cnnviz-note").textContent).toContain('Channels is "root of squares"; choose sum');
    set("parameter-reduction", "sum");
    expect(one(".cnnviz-note").textContent).toBe("");
  });

  it("names what is usual by what it is for the methods shown", () => {
    opened();
    const said = () =>
      [...control<HTMLSelectElement>("form").options]
        .filter(({ hidden }) => !hidden)
        .map(({ text }) => text);
    expect(said()).toEqual(["absolute (usual)", "signed", "positive part"]);
    set("method", "gradcam", panel());
    expect(said()).toEqual(["positive part (usual)", "absolute", "signed"]);
    control("add").click();
    expect(said()[0]).toBe("usual for each method");
  });

  it("clips at a percentile and says where", () => {
    opened({ show: "map", panels: [{ method: "gradcam" }], form: "signed" });
    set("percentile", "90");
    expect(legend()).toContain("centred on zero, clipped at percentile 90, 1.9:");
    expect(control("percentile").getAttribute("aria-valuetext")).toBe("percentile 90");
    expect(pixels()[1]).toEqual(colour("coolwarm", 0));
  });

  it("reads the exact value under the pointer and with the keys", () => {
    opened();
    const frame = one(".cnnviz-frame[role=application]");
    const canvas = one("canvas", frame);
    const box = { left: 0, top: 0, width: 200, height: 100 };
    vi.spyOn(canvas, "getBoundingClientRect").mockReturnValue(box as DOMRect);
    const move = new MouseEvent("pointermove", { clientX: 150, clientY: 50, bubbles: true });
    frame.dispatchEvent(move);
    expect(one(".cnnviz-readout").textContent).toBe("y 0, x 1: -2");
    frame.dispatchEvent(new KeyboardEvent("keydown", { key: "ArrowLeft", bubbles: true }));
    expect(one(".cnnviz-readout").textContent).toBe("y 0, x 0: 1");
    frame.dispatchEvent(new KeyboardEvent("keydown", { key: "Escape", bubbles: true }));
    expect(one(".cnnviz-readout").textContent).toContain("Point at the map");
  });
});

describe("what is explained", () => {
  it("says why a map is blank", () => {
    const model = open();
    model.welcome();
    model.answerInput();
    model.answerMap(undefined, 0, { note: "Every value is zero." });
    expect(one(".cnnviz-note").textContent).toBe("Every value is zero.");
  });

  it("never lays a map over another picture", () => {
    const model = opened();
    set("image", "1");
    model.answerInput();
    expect(pixels()).toEqual([
      [255, 0, 0],
      [0, 0, 255],
    ]);
    expect(one(".cnnviz-overlay").hasAttribute("data-empty")).toBe(true);
    const before = model.sent.length;
    set("image", "0");
    expect(model.sent.slice(before).map(({ type }) => type)).toEqual(["cancel"]);
    expect(one(".cnnviz-overlay").hasAttribute("data-empty")).toBe(false);
  });

  it("follows the class, the picture and the layer of other views", () => {
    const first = opened({ panels: [{ method: "gradcam" }] });
    const other = opened({ panels: [{ method: "gradcam" }] });
    set("image", "1", document.querySelectorAll(".cnnviz")[0]);
    expect(other.last()?.params.image).toBe(1);
    other.answerAll();
    set("layer", "body.conv", document.querySelectorAll(".cnnviz")[1]);
    first.answerAll();
    expect(first.last("panel:0")?.params).toMatchObject({ image: 1, layer: "body.conv" });
    first.set("target", 2);
    expect(other.last("panel:0")?.params).toMatchObject({ target: 2 });
  });

  it("asks anew when the network changes", () => {
    const model = opened();
    model.set("_index", indexOf(undefined, 2));
    expect(model.sent.slice(-1)[0]?.kind).toBe("input");
    expect(panel().hasAttribute("data-stale")).toBe(true);
  });
});

describe("without a kernel", () => {
  it("says so, and shows the maps that are here", () => {
    const model = open();
    vi.advanceTimersByTime(2000);
    expect(one(".cnnviz > [role=alert]").textContent).toContain("No kernel answers");
    expect(status()).toBe("This map is not in this page.");
    model.answerAll();
    expect(one(".cnnviz > [role=alert]").hidden).toBe(true);
    expect(status()).toBe("25 forward passes, 3.2\u00a0s");
  });
});

it("keeps the map so far when the kernel falls silent, and says that it waits", () => {
  const model = open({ panels: [{ method: "rise" }] });
  model.welcome();
  model.answerInput();
  model.answerPartial();
  vi.advanceTimersByTime(2100);
  expect(one(".cnnviz-status").textContent).toBe("Waiting for the kernel");
  vi.advanceTimersByTime(30_000);
  expect(status()).toBe("Stopped after 10 of 40 passes, 3.2\u00a0s");
  model.answerMap();
  expect(status()).toBe("25 forward passes, 3.2\u00a0s");
});

it("leaves nothing behind", () => {
  const model = opened(two());
  for (const stop of stops.splice(0)) stop();
  expect(model.listeners).toBe(0);
  expect(vi.getTimerCount()).toBe(0);
  expect(document.querySelector(".cnnviz")).toBeNull();
});
