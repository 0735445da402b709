// @vitest-environment jsdom
import { describe, expect, it, vi } from "vitest";
import { open, opened, STAGE } from "../browserview";
import { indexOf, LAYERS, layerEntry } from "../model";
import { control, one, page, painted, root, set, stops } from "../viewpage";

describe("other kinds of layers", () => {
  it("shows a vector as bars with class names", () => {
    const model = open();
    const fields = { kind_of: "vector", note: null, labels: ["cat", "dog"] };
    model.frame(model.last("layer"), fields, { values: [[2], [-1, 3]] });
    expect(painted).toHaveLength(1);
    const rows = [...document.querySelectorAll('[role="listitem"]')];
    expect(rows.map((row) => row.textContent)).toEqual(["cat-1", "dog3"]);
    expect(one(`${STAGE} .cnnviz-bars i`).style.width).toBe("25%");
  });

  it("asks which axis is which and shows the answer", () => {
    const model = open();
    const fields = { kind_of: "ask", note: "50 x 64", choices: ["NLC", "NCL"] };
    model.frame(model.last("layer"), fields, {});
    expect(one(`${STAGE} .cnnviz-question`).textContent).toContain("50 x 64");
    const select = one<HTMLSelectElement>(`${STAGE} select`);
    select.value = "NLC";
    select.dispatchEvent(new Event("change"));
    model.answerInput();
    expect(model.last("layout")?.params).toEqual({ layer: "stem", layout: "NLC" });
    const asked = model.sent.length;
    model.frame(model.last("layout"), {}, {});
    expect(model.sent.slice(asked).map(({ kind }) => kind)).toContain("layer");
  });

  it("shows a container and keeps the slider at its last layer", () => {
    const layers = [...indexOf().layers, layerEntry("body", -1)];
    opened({ _index: { ...indexOf(), layers }, layer: "body" });
    expect(control("layer").value).toBe("2");
    expect(one("header").textContent).toContain("block");
    expect(root().dataset.shownIndex).toBe("-1");
  });
});

describe("trouble", () => {
  it("shows the kernel's error and lives on", () => {
    const model = opened();
    set("layer", "1");
    const { cid, seq, kind } = model.last("layer") ?? {};
    model.receive({ type: "err", cid, seq, kind, message: "no memory", hint: "smaller batch" });
    expect(one('[role="alert"]').textContent).toBe(
      "body.conv cannot be shownno memorysmaller batch",
    );
    expect(root().hasAttribute("data-stale")).toBe(true);
    set("layer", "0");
    vi.advanceTimersByTime(200);
    expect(one('[role="alert"]').hidden).toBe(true);
    expect(root().hasAttribute("data-stale")).toBe(false);
  });

  it("keeps showing an error about the layer that is on the screen, drawn another way", () => {
    const model = opened();
    model.set("tile", 32);
    const { cid, seq, kind } = model.last("layer") ?? {};
    model.receive({ type: "err", cid, seq, kind, message: "no memory", hint: null });
    vi.advanceTimersByTime(400);
    expect(one('[role="alert"]').hidden).toBe(false);
    expect(root().hasAttribute("data-stale")).toBe(true);
    model.set("tile", 64);
    vi.advanceTimersByTime(200);
    expect(one('[role="alert"]').hidden).toBe(true);
    expect(root().hasAttribute("data-stale")).toBe(false);
  });

  it("shows of what is on the screen that it is of another picture", () => {
    const model = opened();
    const picture = one(".cnnviz-picture");
    expect(picture.hasAttribute("data-stale")).toBe(false);
    set("image", "1");
    expect(picture.hasAttribute("data-stale")).toBe(true);
    vi.advanceTimersByTime(2_100);
    expect(root().hasAttribute("data-stale")).toBe(true);
    model.answerAll();
    vi.advanceTimersByTime(100);
    expect(picture.hasAttribute("data-stale")).toBe(false);
    expect(root().hasAttribute("data-stale")).toBe(false);
  });

  it("says busy, waiting and static in time, and recovers", () => {
    const model = opened();
    set("layer", "1");
    vi.advanceTimersByTime(299);
    expect(root().hasAttribute("aria-busy")).toBe(false);
    vi.advanceTimersByTime(2);
    expect(root().getAttribute("aria-busy")).toBe("true");
    vi.advanceTimersByTime(1_700);
    expect(one('[role="status"]').textContent).toBe("Waiting for the kernel");
    vi.advanceTimersByTime(30_000);
    expect(one('[role="alert"]').textContent).toContain("body.conv is not in this page.");
    set("layer", "0");
    expect(painted.at(-1)?.layer).toBe("stem");
    set("layer", "1");
    model.answerLayer();
    expect(painted.at(-1)?.layer).toBe("body.conv");
    expect(one('[role="alert"]').hidden).toBe(true);
    expect(root().hasAttribute("aria-busy")).toBe(false);
  });

  it("is static where no kernel ever answers", () => {
    open();
    vi.advanceTimersByTime(1_600);
    expect(root().dataset.state).toBe("static");
    expect(one('[role="status"]').textContent).toBe("No kernel answers");
  });

  it("says so when page and kernel do not understand each other", () => {
    const model = open();
    model.receive({ type: "frame", cid: "x" });
    expect(one('[role="alert"]').textContent).toContain("do not understand each other");
  });

  it("shows what Python says is wrong with the network", () => {
    const error = { message: "no layers at all", hint: "pass a model" };
    const model = open({ _index: { ...indexOf([]), error } });
    expect(one('[role="alert"]').textContent).toContain("no layers at all");
    model.set("_index", indexOf(LAYERS, 2));
    expect(one('[role="alert"]').hidden).toBe(true);
    expect(model.last("layer")?.params.layer).toBe("stem");
  });
});

describe("new inputs", () => {
  it("forget what was shown and ask for it again", () => {
    const model = opened();
    const before = model.sent.length;
    model.set("_index", indexOf(LAYERS, 2));
    expect(model.sent.length).toBeGreaterThan(before);
    expect(model.last("layer")?.params.layer).toBe("stem");
    expect(root().dataset.shownLayer).toBe("stem");
  });
});

describe("prefetching", () => {
  it("brings the other layers in when nothing else goes on", () => {
    const model = opened();
    vi.advanceTimersByTime(400);
    const values: [number[], number[]] = [[4, 4], new Array<number>(16).fill(0)];
    model.frame(model.last("channel"), {}, { values });
    vi.advanceTimersByTime(400);
    expect(model.last()?.kind).toBe("prefetch");
    expect(model.last()?.params.layers).toEqual(["body.conv", "body.relu", "head"]);
    set("layer", "3");
    expect(model.last()?.kind).toBe("layer");
  });
});

describe("the end of a view", () => {
  it("leaves no timer, no listener and no element", () => {
    const model = opened();
    set("layer", "1");
    stops.pop()?.();
    const sent = model.sent.length;
    expect(vi.getTimerCount()).toBe(0);
    expect(model.listeners).toBe(0);
    expect(document.querySelector(".cnnviz")).toBeNull();
    model.set("layer", "head");
    vi.advanceTimersByTime(60_000);
    expect(model.sent).toHaveLength(sent);
  });

  it("leaves the other view of the model alone", () => {
    const model = opened();
    open({}, model);
    stops.shift()?.();
    const { length } = painted;
    const second = model.sent.findLast(({ type }) => type === "hello")?.cid;
    const request = model.sent.find(({ cid, kind }) => cid === second && kind === "layer");
    model.answerLayer(request);
    expect(painted).toHaveLength(length + 1);
  });

  it("asks for nothing while it is out of sight", () => {
    const model = opened();
    page.see(false);
    const before = model.sent.length;
    set("layer", "2");
    vi.advanceTimersByTime(5_000);
    expect(model.sent).toHaveLength(before);
    page.see(true);
    expect(model.last("layer")?.params.layer).toBe("body.relu");
  });
});
