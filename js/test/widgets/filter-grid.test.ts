// @vitest-environment jsdom
import { describe, expect, it, vi } from "vitest";
import type { FilterTraits } from "../../src/filters";
import widget from "../../src/widgets/filter-grid";
import { FilterModel, filterIndex } from "../filtermodel";
import { one, page, painted, press, set, show, stops } from "../viewpage";

const STAGE = '[aria-label="All filters"] .cnnviz-grid:not([hidden])';
const KERNELS = '[aria-label="Weights of the filter"]';

function open(traits: Partial<FilterTraits> = {}, model = new FilterModel(traits)): FilterModel {
  show(widget, model.model);
  return model;
}

/** Lets everything come that a resting view asks for. */
function rest(model: FilterModel): void {
  for (let round = 0; round < 4; round++) {
    model.answerAll();
    vi.advanceTimersByTime(300);
  }
}

function opened(traits: Partial<FilterTraits> = {}): FilterModel {
  const model = open(traits);
  rest(model);
  return model;
}

const asked = (model: FilterModel) =>
  model.sent.filter(({ type }) => type === "req").map(({ kind }) => kind);

describe("opening", () => {
  it("asks for the layer at the width that a matrix may have, then for the rest", () => {
    const model = open();
    expect(model.last("layer")?.params).toEqual({ layer: "stem", image: 0, tile: 672 });
    rest(model);
    expect(asked(model).slice(0, 2)).toEqual(["layer", "input"]);
    expect(asked(model)).toEqual(expect.arrayContaining(["filter", "answer", "likeness"]));
    expect(model.last("filter")?.params).toEqual({ layer: "stem", filter: 0 });
    expect(model.last("answer")?.params).toEqual({ layer: "stem", image: 0, filter: 0 });
  });

  it("draws the layer in the message's task and says so", () => {
    const model = open();
    expect(painted).toEqual([]);
    model.answerLayer();
    expect(painted).toEqual([{ layer: "stem", index: 0, seq: 1, filter: 0 }]);
    expect(one(".cnnviz").dataset).toMatchObject({ shownLayer: "stem", shownFilter: "0" });
    expect(page.put.has(one(`${STAGE} canvas`))).toBe(true);
  });

  it("shows the filter, its numbers, what it answers, and its kernels", () => {
    opened();
    expect(one(".cnnviz-detail h3").textContent).toBe("Filter 0of 3");
    expect(one(".cnnviz-detail dl").textContent).toBe(
      "minimum-1maximum2mean0.5norm1zeros0 %nearest–",
    );
    expect(one(".cnnviz-answer").textContent).toContain("What filter 0 answers");
    expect(one(".cnnviz-answer").textContent).toContain("Its own scale, -1 to 3");
    expect(one(KERNELS).hidden).toBe(false);
    expect(one(KERNELS).textContent).toContain("2 kernels of 2 × 2, one for each input");
    expect(one(".cnnviz-legend").textContent).toContain("Norm over the inputs; all filters on one");
  });

  it("reads the weights of the strongest kernel by keys", () => {
    opened();
    const large = one(".cnnviz-band > .cnnviz-square [role=application]");
    press(large, "Home", "PageUp", "ArrowLeft");
    expect(one(".cnnviz-readout").textContent).toBe("input 1, y 0, x 0: 0.5");
    press(large, "Escape");
    expect(one(".cnnviz-readout").textContent).toContain("Point at the filter");
  });
});

describe("choosing", () => {
  it("takes a filter by keys, asks for it, and tells Python", () => {
    const model = opened();
    const scroller = one(`${STAGE} [role="grid"]`);
    press(scroller, "ArrowRight", "Enter");
    expect(one(".cnnviz").dataset.shownFilter).toBe("1");
    vi.advanceTimersByTime(300);
    expect(model.get("filter")).toBe(1);
    expect(model.last("filter")?.params).toEqual({ layer: "stem", filter: 1 });
    expect(one(KERNELS).hasAttribute("data-stale")).toBe(true);
    rest(model);
    expect(one(KERNELS).hasAttribute("data-stale")).toBe(false);
    expect(one(".cnnviz-detail").textContent).toContain("Dead: its norm is 0 % of the largest");
  });

  it("says what the keyboard is at, and no more once it has gone on", () => {
    const model = opened();
    const hint = () => one(`${STAGE} .cnnviz-caption span:last-child`).textContent;
    one(`${STAGE} [role=gridcell]`).focus();
    expect(hint()).toBe("filter 0: norm 1");
    set("sort", "norm", "change");
    rest(model);
    expect(hint()).toContain("filter 2: norm 3");
    one('[data-cnnviz-control="layer"]').focus();
    expect(hint()).toBe("");
  });

  it("takes another kernel than the strongest", () => {
    const model = opened();
    press(one(`${KERNELS} [role="grid"]`), "Home", "Enter");
    press(one(".cnnviz-band > .cnnviz-square [role=application]"), "Home");
    expect(one(".cnnviz-readout").textContent).toContain("input 0, y 1, x 1: 0.375");
    expect(asked(model).filter((kind) => kind === "filter")).toHaveLength(1);
  });

  it("slides to a layer that is in the page without the kernel", () => {
    const model = opened();
    set("layer", "2");
    rest(model);
    set("layer", "0");
    rest(model);
    const before = model.sent.length;
    set("layer", "2");
    expect(painted.at(-1)).toMatchObject({ layer: "head", index: 2 });
    vi.advanceTimersByTime(300);
    expect(model.sent).toHaveLength(before);
    expect(one(".cnnviz-answer").textContent).toContain("1.5");
    expect(one(".cnnviz-answer").textContent).toContain("cat, 1 of 4, largest first");
  });

  it("shows a dense layer as rows, and its weights one by one", () => {
    const model = opened();
    set("layer", "2");
    rest(model);
    expect(one(STAGE).textContent).toContain("A row for each of 4 filters");
    expect(one(KERNELS).textContent).toContain("5 weights, one for each input");
  });

  it("follows order and scale, and writes them back", () => {
    const model = opened();
    set("sort", "norm", "change");
    set("scale", "filter", "change");
    vi.advanceTimersByTime(300);
    expect([model.get("sort"), model.get("scale_mode")]).toEqual(["norm", "filter"]);
    const labels = [...one(`${STAGE} .cnnviz-labels`).children].map((label) => label.textContent);
    expect(labels.slice(0, 3)).toEqual(["2", "0", "1"]);
    expect(one(".cnnviz-legend").textContent).toContain("each filter on its own scale, filter 0");
  });

  it("follows Python", () => {
    const model = opened();
    model.set("layer", "head");
    rest(model);
    model.set("filter", 3);
    expect(one(".cnnviz").dataset).toMatchObject({ shownLayer: "head", shownFilter: "3" });
  });
});

describe("without inputs", () => {
  it("shows weights alone and says why", () => {
    const model = opened({ _index: filterIndex(0) });
    expect(asked(model)).not.toContain("input");
    expect(asked(model)).not.toContain("answer");
    expect(one(".cnnviz").hasAttribute("data-no-inputs")).toBe(true);
    expect(document.body.textContent).toContain("Weights need no picture.");
    expect(one(".cnnviz-detail h3").textContent).toBe("Filter 0of 3");
  });
});

describe("trouble and other views", () => {
  it("says what cannot be shown, and ends it with what can", () => {
    const model = open();
    const { cid, seq } = model.last("layer") ?? {};
    model.receive({ type: "err", cid, seq, kind: "layer", message: "no such", hint: null });
    expect(one('[role="alert"]').textContent).toContain("stem cannot be shown");
    set("layer", "1");
    model.answerLayer();
    vi.advanceTimersByTime(300);
    expect(one('[role="alert"]').hidden).toBe(true);
  });

  it("says in the place of the answer why there is none", () => {
    const model = open();
    model.answerLayer();
    model.answerInput();
    vi.advanceTimersByTime(300);
    model.answerFilter();
    const { cid, seq } = model.last("answer") ?? {};
    model.receive({ type: "err", cid, seq, kind: "answer", message: "It failed.", hint: null });
    expect(one(".cnnviz-answer").textContent).toContain("It failed.");
  });

  it("says why an answer is blank", () => {
    const model = open();
    model.answerLayer();
    model.answerInput();
    vi.advanceTimersByTime(300);
    model.answerFilter();
    const asked = model.last("answer");
    model.frame(
      asked,
      { kind_of: "map" },
      {
        values: [
          [1, 2],
          [2, 2],
        ],
      },
    );
    expect(one(".cnnviz-answer").textContent).toContain("Dead: all values of this channel are 2.");
    model.frame(asked, { kind_of: "map" }, { values: [[1, 1], [NaN]] });
    expect(one(".cnnviz-answer").textContent).toContain("No value of this channel is a finite");
  });

  it("follows another view of the Inspector, and leads it", () => {
    const first = opened();
    const second = open();
    rest(second);
    const roots = () => [...document.querySelectorAll<HTMLElement>(".cnnviz")];
    set("layer", "1");
    rest(first);
    rest(second);
    expect(roots().map(({ dataset }) => dataset.shownLayer)).toEqual(["body.conv", "body.conv"]);
    press(one(`${STAGE} [role="grid"]`), "End", "Enter");
    expect(roots().map(({ dataset }) => dataset.shownFilter)).toEqual(["2", "2"]);
  });

  it("takes everything away in the end", () => {
    const model = opened();
    for (const stop of stops.splice(0)) stop();
    expect(document.querySelector(".cnnviz")).toBeNull();
    expect(model.listeners).toBe(0);
    const before = model.sent.length;
    vi.advanceTimersByTime(10_000);
    expect(model.sent).toHaveLength(before);
  });
});
