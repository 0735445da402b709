// @vitest-environment jsdom
import { describe, expect, it, vi } from "vitest";
import type { CamTraits } from "../../src/camtraits";
import { joinLink } from "../../src/link";
import widget from "../../src/widgets/cam-slider";
import { CamModel, CLASSES } from "../cammodel";
import { indexOf, LAYERS } from "../model";
import {
  control,
  end,
  one,
  page,
  painted,
  panels,
  press,
  root,
  set,
  show,
  stops,
} from "../viewpage";

function open(traits: Partial<CamTraits> = {}): CamModel {
  const model = new CamModel(traits);
  show(widget, model.model);
  return model;
}

/** A view with all its maps in the page. */
function opened(traits: Partial<CamTraits> = {}): CamModel {
  const model = open(traits);
  for (let i = 0; i < 6; i++) {
    model.answerEverything();
    vi.advanceTimersByTime(400);
  }
  return model;
}

const asked = (model: CamModel, kind: string) =>
  model.sent.filter(({ type, kind: k }) => type === "req" && k === kind).length;

/** Reds of a panel's corners, which with the colours "gray" and full opacity are its levels. */
function levels(place = 0): number[] {
  const canvas = panels()[place]?.querySelector("canvas");
  const data = (canvas && page.put.get(canvas)?.data) ?? [];
  const side = Math.sqrt(data.length / 4);
  return [0, side - 1, side * (side - 1), side * side - 1].map((at) => data[4 * at] ?? -1);
}

describe("opening", () => {
  it("asks for the picture, then for the maps of the top prediction at all layers", () => {
    const model = open();
    expect(model.last()?.kind).toBe("input");
    model.answerPicture();
    expect(model.last()).toMatchObject({
      kind: "sweep",
      params: { method: "gradcam", image: 0, classes: [2], first: "body.relu" },
    });
    model.answerSweep();
    expect(painted.at(-1)).toMatchObject({ layer: "body.relu", index: 2, target: 2, image: 0 });
    expect(root().dataset).toMatchObject({ shownTarget: "2", shownMethod: "gradcam" });
    vi.advanceTimersByTime(100);
    expect(panels()[0]?.textContent).toContain("cat×logit 2.5, probability 0.500");
    expect(one(".cnnviz-predictions").textContent).toContain("cat");
  });

  it("draws the picture alone until the map is here, and says so", () => {
    const model = open({ colormap: "gray" });
    model.answerPicture();
    expect(levels()).toEqual([9, 9, 9, 9]);
    vi.advanceTimersByTime(100);
    expect(panels()[0]?.textContent).toContain("on its way");
    expect(panels()[0]?.hasAttribute("data-stale")).toBe(true);
    model.answerSweep();
    vi.advanceTimersByTime(100);
    expect(panels()[0]?.hasAttribute("data-stale")).toBe(false);
  });
});

describe("a slide", () => {
  it("over layers is drawn in its own task, and asks for nothing but exact values at rest", () => {
    const model = opened();
    const before = model.sent.length;
    set("layer", 0);
    expect(painted.at(-1)).toMatchObject({ layer: "stem", index: 0 });
    set("layer", 1);
    expect(painted.at(-1)).toMatchObject({ layer: "body.conv", index: 1 });
    expect(model.sent.length).toBe(before);
    vi.advanceTimersByTime(400);
    expect(model.sent.slice(before).map(({ kind }) => kind)).toEqual(["map"]);
    expect(model.get("layer")).toBe("body.conv");
  });

  it("steps over layers that have no grid", () => {
    opened();
    set("layer", 3);
    expect(root().dataset.shownLayer).toBe("body.relu");
    expect(control("layer").value).toBe("2");
  });

  it("over classes is drawn in its own task, the likeliest first", () => {
    const model = opened();
    set("target", 1);
    expect(painted.at(-1)).toMatchObject({ target: 1, layer: "body.relu" });
    expect(asked(model, "sweep")).toBe(1);
    vi.advanceTimersByTime(400);
    expect(model.get("targets")).toEqual([1]);
    expect(panels()[0]?.textContent).toContain("bee");
  });

  it("goes to classes by a click and by name, and asks for their maps", () => {
    const model = opened();
    one('.cnnviz-predictions [data-target="1"]').click();
    expect(painted.at(-1)?.target).toBe(1);
    const search = one<HTMLInputElement>('[type="search"]');
    search.value = "dog";
    search.dispatchEvent(new Event("input"));
    search.dispatchEvent(new KeyboardEvent("keydown", { key: "Enter" }));
    expect(model.last("sweep")?.params.classes).toEqual([3]);
    model.answerSweep();
    expect(painted.at(-1)?.target).toBe(3);
  });
});

describe("several classes", () => {
  it("are on one scale, or each on its own", () => {
    opened({ targets: [0, 3], colormap: "gray", layer: "stem" });
    // Exact values: -1, class + 0.5, 0, 2.
    expect(levels(0)).toEqual([0, Math.round((0.5 / 3.5) * 255), 0, Math.round((2 / 3.5) * 255)]);
    expect(levels(1)[1]).toBe(255);
    expect(one(".cnnviz-legend").textContent).toContain("the 2 maps on one scale:03.5");
    set("scale", "map", "change");
    expect(levels(0)).toEqual([0, Math.round((0.5 / 2) * 255), 0, 255]);
    vi.advanceTimersByTime(100);
    expect(one(".cnnviz-legend").textContent).toContain("each map on its own scale; ant:02");
    set("scale", "signed", "change");
    vi.advanceTimersByTime(100);
    expect(one(".cnnviz-legend").textContent).toContain("-3.53.5centred on zero");
    expect(panels().map((panel) => panel.textContent)).toEqual([
      expect.stringContaining("raw values from -1 to 2"),
      expect.stringContaining("raw values from -1 to 3.5"),
    ]);
  });

  it("are added, slid one at a time, and removed", () => {
    const model = opened();
    control("add").click();
    vi.advanceTimersByTime(400);
    expect(model.get("targets")).toEqual([2, 1]);
    expect(panels().map((panel) => panel.hasAttribute("data-active"))).toEqual([false, true]);
    set("target", 0);
    expect(root().dataset.shownTarget).toBe("2");
    panels()[0]?.querySelector<HTMLElement>(".cnnviz-pick")?.click();
    expect(control("target").getAttribute("aria-valuetext")).toContain("cat");
    panels()[0]?.querySelector<HTMLElement>(".cnnviz-remove")?.click();
    vi.advanceTimersByTime(400);
    expect(model.get("targets")).toEqual([2]);
    expect(panels()).toHaveLength(1);
    expect(one(".cnnviz-remove").hidden).toBe(true);
  });

  it("leave out what is below the threshold, and a line is drawn there", () => {
    const model = opened({ targets: [3], colormap: "gray" });
    set("threshold", 0.9);
    expect(levels()).toEqual([9, 255, 9, 9]);
    expect(one(".cnnviz-contour path").getAttribute("d")).toContain("M");
    vi.advanceTimersByTime(400);
    expect(one(".cnnviz-legend").textContent).toContain("Below 3.15 the picture shows");
    expect(model.get("threshold")).toBe(0.9);
    expect(control("threshold").getAttribute("aria-valuetext")).toBe("90 %");
  });
});

describe("a map", () => {
  it("is read with the arrow keys", () => {
    opened({ targets: [3] });
    const frame = one('[role="application"]');
    expect(frame.getAttribute("aria-label")).toBe(
      "Map of dog at body.relu, 2 × 2 values; arrow keys read them",
    );
    press(frame, "Home", "ArrowUp");
    expect(one("output").textContent).toBe("y 0, x 1: 3.5");
    press(frame, "Escape");
    expect(one("output").textContent).toBe("raw values from -1 to 3.5");
  });

  it("that is blank says why", () => {
    const model = open();
    model.answerPicture();
    const request = model.last("sweep");
    model.sendMaps(request, ["body.relu"]);
    model.frame(request, { scores: model.scores(request) }, {});
    vi.advanceTimersByTime(400);
    const facts = { statuses: [1], notes: ["Every value is zero: the layer is dead."] };
    model.answerMap(model.last("map"), facts);
    vi.advanceTimersByTime(100);
    expect(panels()[0]?.textContent).toContain("the layer is dead");
    expect(panels()[0]?.dataset.status).toBe("empty");
  });
});

describe("methods", () => {
  it("are fetched ahead, so that a change is the page's own", () => {
    const model = opened();
    const before = asked(model, "sweep");
    set("method", "layercam", "change");
    expect(painted.at(-1)?.method).toBe("layercam");
    expect(asked(model, "sweep")).toBe(before);
  });

  it("that perturb run at rest, say how far they are, stop and start", () => {
    const model = opened();
    set("method", "scorecam", "change");
    vi.advanceTimersByTime(100);
    expect(one(".cnnviz-progress").textContent).toContain("SCORECAM takes 1 forward");
    vi.advanceTimersByTime(300);
    const request = model.last("map");
    expect(request?.params).toMatchObject({ method: "scorecam", layer: "body.relu" });
    model.frame(request, { done: 3, total: 9, kind: "progress", final: false }, {});
    expect(one(".cnnviz-progress").textContent).toContain("3 of 9 passes");
    expect(one("progress").getAttribute("aria-label")).toBe("3 of 9 passes");
    expect(one(".cnnviz-progress [role=status]").getAttribute("aria-live")).toBe("off");
    control("stop").click();
    expect(model.sent.at(-1)).toMatchObject({ type: "cancel", seq: request?.seq });
    vi.advanceTimersByTime(1_000);
    expect(model.last("map")?.seq).toBe(request?.seq);
    control("stop").focus();
    control("stop").click();
    expect(model.last("map")?.seq).not.toBe(request?.seq);
    expect(one(".cnnviz-progress").textContent).toBe("0 of 9 passesStop");
    expect(document.activeElement).toBe(control("stop"));
    model.answerMap();
    expect(painted.at(-1)?.method).toBe("scorecam");
    expect(document.activeElement).toBe(one(".cnnviz-progress [role=status]"));
  });

  it("that do not work at a layer say why", () => {
    const model = opened();
    set("method", "scorecam", "change");
    vi.advanceTimersByTime(400);
    const { cid, seq, kind } = model.last("map") ?? {};
    model.receive({ type: "err", cid, seq, kind, message: "not at this layer", hint: "gradcam" });
    expect(one('[role="alert"]').textContent).toBe(
      "SCORECAM cannot be shown herenot at this layergradcam",
    );
    set("method", "gradcam", "change");
    vi.advanceTimersByTime(100);
    expect(one('[role="alert"]').hidden).toBe(true);
  });

  it("that cannot be shown are not said to be on their way", () => {
    const model = open();
    model.answerPicture();
    const { cid, seq, kind } = model.last("sweep") ?? {};
    model.receive({ type: "err", cid, seq, kind, message: "no pooling", hint: null });
    vi.advanceTimersByTime(100);
    expect(one('[role="alert"]').textContent).toContain("no pooling");
    expect(panels()[0]?.textContent).not.toContain("on its way");
  });
});

describe("other views", () => {
  it("are followed in layer, class and picture, and told of them", () => {
    const model = opened();
    const told: object[] = [];
    const tell = joinLink(
      () => "one",
      () => true,
      (choice) => told.push(choice),
      end.signal,
    );
    tell({ layer: "stem", target: 1 });
    expect(root().dataset).toMatchObject({ shownLayer: "stem", shownTarget: "1" });
    tell({ layer: "head", target: 77, image: 9 });
    expect(root().dataset).toMatchObject({ shownLayer: "stem", shownTarget: "1" });
    expect(told).toEqual([]);
    set("layer", 1);
    set("target", 0);
    expect(told).toMatchObject([{ layer: "body.conv" }, { target: 2 }]);
    tell({ image: 1 });
    expect(model.last("input")?.params).toEqual({ image: 1 });
    model.set("linked", false);
    tell({ layer: "stem" });
    expect(control("layer").value).toBe("1");
  });

  it("follow Python", () => {
    const model = opened();
    model.set("layer", "stem");
    expect(root().dataset.shownLayer).toBe("stem");
    model.set("targets", [1, 2]);
    expect(panels()).toHaveLength(2);
    model.set("targets", []);
    expect(panels()).toHaveLength(1);
    expect(root().dataset.shownTarget).toBe("2");
    model.set("opacity", 0.25);
    expect(control("opacity").value).toBe("0.25");
    model.set("layer", "no such layer");
    expect(root().dataset.shownLayer).toBe("stem");
  });
});

describe("trouble", () => {
  it("is said where there is nothing to explain, or nowhere to show it", () => {
    open({ _index: { ...indexOf(), class_count: null } });
    expect(one('[role="alert"]').textContent).toContain("gives no class scores");
    document.body.replaceChildren();
    open({ _grids: [] });
    expect(one('[role="alert"]').textContent).toContain("has a grid of places");
  });

  it("is said where no kernel answers, and what is in the page can be slid", () => {
    const model = opened();
    set("method", "scorecam", "change");
    vi.advanceTimersByTime(60_000);
    expect(root().dataset.state).toBe("static");
    expect(one('[role="status"]').textContent).toBe("No kernel answers");
    set("method", "gradcam", "change");
    set("layer", 0);
    expect(painted.at(-1)).toMatchObject({ layer: "stem", method: "gradcam" });
    model.answerMap();
    expect(root().dataset.state).not.toBe("static");
  });

  it("ends with the old inputs: all is asked for again", () => {
    const model = opened();
    const index = { ...indexOf(LAYERS, 2), classes: CLASSES, class_count: 4 };
    model.set("_index", index);
    expect(model.last()?.kind).toBe("input");
  });
});

describe("the end of a view", () => {
  it("leaves no timer, no listener and no element", () => {
    const model = opened();
    set("layer", 1);
    stops.pop()?.();
    const sent = model.sent.length;
    expect(vi.getTimerCount()).toBe(0);
    expect(model.listeners).toBe(0);
    expect(document.querySelector(".cnnviz")).toBeNull();
    model.set("layer", "stem");
    vi.advanceTimersByTime(60_000);
    expect(model.sent).toHaveLength(sent);
  });
});
