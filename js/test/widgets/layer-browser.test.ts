// @vitest-environment jsdom
import { describe, expect, it, vi } from "vitest";
import { joinLink } from "../../src/link";
import { open, opened, STAGE } from "../browserview";
import { control, end, one, page, painted, press, root, set } from "../viewpage";

describe("opening", () => {
  it("says hello and asks for the layer and the picture", () => {
    const model = open();
    expect(model.sent.map(({ type, kind }) => kind ?? type)).toEqual(["hello", "layer"]);
    expect(model.last()?.params).toEqual({ layer: "stem", image: 0, tile: 64 });
    model.answerLayer();
    expect(model.last()?.kind).toBe("input");
  });

  it("names the layer at once and draws it in the message's task", () => {
    const model = open();
    expect(one("header strong").textContent).toBe("stem");
    expect(control("layer").getAttribute("aria-valuetext")).toBe("stem, 1 of 4");
    expect(painted).toEqual([]);
    model.answerLayer();
    expect(painted).toEqual([{ layer: "stem", index: 0, seq: 1, image: 0 }]);
    expect(root().dataset).toMatchObject({ shownLayer: "stem", shownIndex: "0", shownSeq: "1" });
    expect(page.put.has(one(`${STAGE} canvas`))).toBe(true);
  });

  it("shows the picture and what the network says", () => {
    opened();
    const rows = [...document.querySelectorAll(".cnnviz-predictions li")];
    expect(rows.map((row) => row.textContent)).toEqual(["cat0.750", "dog0.250"]);
    expect(one(".cnnviz-predictions p").textContent).toBe("Softmax of the scores");
    const image = page.put.get(one(".cnnviz-picture canvas"));
    expect([...(image?.data ?? [])]).toEqual([255, 0, 0, 255, 0, 0, 255, 255]);
    expect(document.body.textContent).toContain("in training mode");
  });

  it("draws when the space is known, if the layer was here before", () => {
    vi.spyOn(Element.prototype, "clientWidth", "get").mockReturnValue(0);
    const model = open();
    model.answerLayer();
    expect(painted).toEqual([]);
    vi.spyOn(Element.prototype, "clientWidth", "get").mockReturnValue(500);
    page.resize();
    expect(painted).toHaveLength(1);
  });
});

describe("sliding", () => {
  it("draws a layer that is in the page in the task of the event, without a message", () => {
    const model = opened();
    set("layer", "2");
    model.answerLayer();
    set("layer", "0");
    const before = model.sent.length;
    set("layer", "2");
    expect(painted.at(-1)).toMatchObject({ layer: "body.relu", index: 2 });
    expect(root().dataset.shownIndex).toBe("2");
    expect(model.sent).toHaveLength(before);
  });

  it("keeps the picture until the next one is here, and never goes back", () => {
    const model = opened();
    set("layer", "1");
    const late = model.last("layer");
    set("layer", "3");
    expect(root().dataset.shownLayer).toBe("stem");
    expect(one("header strong").textContent).toBe("head");
    model.answerLayer(late);
    expect(root().dataset.shownIndex).toBe("1");
    expect(one("header strong").textContent).toBe("head");
    model.answerLayer();
    expect(root().dataset.shownLayer).toBe("head");
    model.answerLayer(late);
    expect(painted.map(({ index }) => index)).toEqual([0, 1, 3]);
  });

  it("draws duplicates of an answer without harm", () => {
    const model = opened();
    const { length } = painted;
    model.answerLayer(model.last("layer"));
    expect(painted.length - length).toBeLessThanOrEqual(1);
    expect(root().dataset.shownLayer).toBe("stem");
  });

  it("writes the layer back a few times a second, the last one always", () => {
    const model = opened();
    for (let step = 0; step < 40; step++) {
      set("layer", String(step % 4));
      vi.advanceTimersByTime(16);
    }
    expect(model.saves).toBeLessThanOrEqual(5);
    vi.advanceTimersByTime(500);
    expect(model.get("layer")).toBe("head");
  });

  it("marks the layer in the tree, the legend and the numbers after the paint", () => {
    const model = opened();
    set("layer", "1");
    model.answerLayer();
    vi.advanceTimersByTime(300);
    const chosen = document.querySelectorAll('[role="treeitem"][aria-selected="true"]');
    expect([...chosen].map((row) => row.textContent)).toEqual(["convConv2d3 × 4 × 4"]);
    expect(one(".cnnviz-legend").textContent).toContain("channel 0:02");
    expect(one(".cnnviz-detail").textContent).toContain("maximum2");
  });
});

describe("the exact channel", () => {
  it("is asked for when the slider rests, and read out", () => {
    const model = opened();
    vi.advanceTimersByTime(200);
    expect(model.last()?.params).toEqual({ layer: "stem", image: 0, channel: 0 });
    const values = Array.from({ length: 16 }, (_, i) => 0.1 * i);
    model.frame(model.last("channel"), {}, { values: [[4, 4], values] });
    const frame = one('[role="application"]');
    press(frame, "ArrowRight");
    expect(one("output").textContent).toBe("y 2, x 2: 1");
    press(frame, "ArrowRight");
    expect(one("output").textContent).toBe("y 2, x 3: 1.1");
    press(frame, "Escape");
    expect(one("output").textContent).toContain("Point at the map");
  });

  it("is chosen in the grid by keyboard and written back", () => {
    const model = opened();
    const grid = one(`${STAGE} [role="grid"]`);
    press(grid, "ArrowRight");
    const cell = document.activeElement;
    expect(cell?.getAttribute("role")).toBe("gridcell");
    expect(cell?.getAttribute("aria-label")).toBe("channel 1: 1 to 1, dead");
    expect(press(grid, "Enter")).toBe(true);
    vi.advanceTimersByTime(400);
    expect(model.get("channel")).toBe(1);
    expect(one(".cnnviz-detail h3").textContent).toBe("Channel 1of 3");
    expect(press(grid, "x")).toBe(false);
  });

  it("is the first one where a layer has not so many", () => {
    opened({ channel: 40 });
    expect(one(".cnnviz-detail h3").textContent).toBe("Channel 0of 3");
  });
});

describe("the tree", () => {
  it("chooses by click and by keyboard, folds and finds", () => {
    const model = opened();
    const tree = one('[role="tree"]');
    const rows = () => [...tree.querySelectorAll('[role="treeitem"]')];
    expect(rows().map((row) => row.getAttribute("aria-level"))).toEqual(["1", "1", "2", "2", "1"]);
    rows()[4]?.dispatchEvent(new MouseEvent("click", { bubbles: true }));
    expect(model.last("layer")?.params.layer).toBe("head");
    press(tree, "ArrowUp");
    press(tree, "ArrowLeft");
    press(tree, "ArrowLeft");
    expect(rows()).toHaveLength(3);
    expect(document.activeElement?.getAttribute("aria-expanded")).toBe("false");
    const search = one<HTMLInputElement>('[type="search"]');
    search.value = "relu";
    search.dispatchEvent(new Event("input"));
    expect(rows().map((row) => row.textContent)).toEqual(["body", "reluConv2d3 × 4 × 4"]);
    press(search, "Enter");
    expect(one("header strong").textContent).toBe("body.relu");
  });
});

describe("the view's options", () => {
  it("repaint at once, are written back, and a fixed scale begins as the layer's", () => {
    const model = opened();
    const before = model.sent.length;
    set("scale", "fixed", "change");
    expect([control("scale-low").value, control("scale-high").value]).toEqual(["-1", "3"]);
    expect(painted.length).toBeGreaterThan(1);
    set("scale-low", "5");
    expect(control("scale-low").getAttribute("aria-invalid")).toBe("true");
    set("scale-low", "-2");
    set("colormap", "coolwarm", "change");
    set("sort", "maximum", "change");
    vi.advanceTimersByTime(400);
    expect(model.get("scale_low")).toBe(-2);
    expect(model.get("diverging")).toBe(true);
    expect(model.get("sort")).toBe("maximum");
    expect(one(".cnnviz-legend").textContent).toContain("you fixed:-33centred on zero");
    expect(model.sent.slice(before).every(({ kind }) => kind !== "layer")).toBe(true);
  });

  it("ask for other tiles and for the input of the layer", () => {
    const model = opened();
    set("tile", "128", "change");
    expect(model.last("layer")?.params).toEqual({ layer: "stem", image: 0, tile: 128 });
    model.answerLayer();
    control("show-input").checked = true;
    set("show-input", "on");
    expect(model.last("layer")?.params).toMatchObject({ side: "input" });
    model.answerLayer();
    expect(page.put.has(one(".cnnviz-stagebox canvas"))).toBe(true);
    expect(root().dataset.shownLayer).toBe("stem");
  });

  it("follow Python", () => {
    const model = opened();
    model.set("layer", "head");
    expect(model.last("layer")?.params.layer).toBe("head");
    model.answerLayer();
    expect(control("layer").value).toBe("3");
    model.set("image", 1);
    expect(model.last("layer")?.params.image).toBe(1);
    model.answerLayer();
    model.set("colormap", "magma");
    expect(control<HTMLSelectElement>("colormap").value).toBe("magma");
    model.set("layer", "no such layer");
    expect(one("header strong").textContent).toBe("head");
  });

  it("are not pulled away by another tab before their own step is saved", () => {
    const model = opened();
    set("layer", "3");
    model.answerLayer();
    model.set("layer", "body.conv");
    expect(one("header strong").textContent).toBe("head");
    vi.advanceTimersByTime(1_000);
    expect(model.get("layer")).toBe("head");
    model.set("layer", "stem");
    model.answerLayer();
    expect(one("header strong").textContent).toBe("stem");
  });
});

describe("other views of the Inspector", () => {
  it("are told what the reader chooses here, and followed as far as it can be shown", () => {
    const model = opened();
    const told: object[] = [];
    const listen = (choice: object) => told.push(choice);
    const tell = joinLink(
      () => "one",
      () => true,
      listen,
      end.signal,
    );
    set("layer", "1");
    set("image", "1");
    expect(told).toMatchObject([{ layer: "body.conv" }, { image: 1 }]);
    tell({ layer: "head", image: 0, channel: 2 });
    expect(one("header strong").textContent).toBe("head");
    tell({ layer: "no such layer", image: 7, target: 3 });
    expect([one("header strong").textContent, control("image").value]).toEqual(["head", "0"]);
    vi.advanceTimersByTime(400);
    expect([model.get("layer"), model.get("channel"), model.get("image")]).toEqual(["head", 2, 0]);
    expect(told).toHaveLength(2);
  });
});
