// @vitest-environment jsdom
import { describe, expect, it, vi } from "vitest";
import { legend, open, opened, panel, set, status, two } from "../overlayview";
import { METHODS, type SaliencyFake } from "../saliencymodel";
import { control, one, painted, panels } from "../viewpage";

describe("a method that takes its time", () => {
  const rise = { panels: [{ method: "rise" }] };

  function started(): SaliencyFake {
    const model = open(rise);
    model.welcome();
    model.answerInput();
    model.answerPartial();
    return model;
  }

  it("shows the map so far and how far it is", () => {
    started();
    expect(one<HTMLProgressElement>("progress").value).toBe(10);
    expect(one<HTMLProgressElement>("progress").max).toBe(40);
    expect(status()).toBe("10 of 40 passes, 3.2\u00a0s");
    expect(one(".cnnviz-explained").textContent).toContain("the logit of class cat");
    expect(painted).toHaveLength(1);
    expect(panel().getAttribute("aria-busy")).toBe("true");
  });

  it("is cancelled by its button and keeps what there is", () => {
    const model = started();
    const { seq } = model.last("panel:0") ?? {};
    control("cancel").click();
    expect(model.sent.at(-1)).toMatchObject({ type: "cancel", seq });
    expect(status()).toBe("Stopped after 10 of 40 passes, 3.2\u00a0s");
    expect(one("progress").hidden).toBe(true);
    control("again").focus();
    control("again").click();
    expect(model.last("panel:0")?.seq).toBeGreaterThan(Number(seq));
    model.answerMap();
    expect(status()).toBe("25 forward passes, 3.2\u00a0s");
    expect(document.activeElement?.getAttribute("role")).toBe("status"); // its button is gone
  });

  it("is started anew, and the old one stopped, when a parameter changes", () => {
    const model = started();
    set("parameter-masks", "50");
    expect(model.sent.at(-2)).toMatchObject({ type: "cancel" });
    expect(model.last()?.params).toMatchObject({ method: "rise", parameters: { masks: 50 } });
    vi.advanceTimersByTime(300);
    expect(model.get("panels")).toEqual([{ method: "rise", parameters: { masks: 50 } }]);
    expect(panel().hasAttribute("data-stale")).toBe(true);
  });

  it("lets the others wait, and says so", () => {
    const model = open(two());
    model.welcome();
    model.answerInput();
    model.answerMap();
    model.answerPartial(model.last("panel:1"));
    vi.advanceTimersByTime(400);
    control("add").click();
    expect(status(2)).toBe("Waits for the other methods");
    model.answerMap(model.last("panel:1"));
    expect(model.last()?.kind).toBe("panel:2");
  });
});

describe("several methods", () => {
  it("stand side by side, each with its own scale in words", () => {
    opened({ panels: [{ method: "gradient" }, { method: "gradcam" }] });
    expect(legend(0)).toContain("Absolute values");
    expect(legend(1)).toContain("Positive values");
    expect(panels().map((each) => each.getAttribute("aria-label"))).toEqual([
      "Gradient",
      "Grad-CAM",
    ]);
  });

  it("are added, changed and removed, and Python knows", () => {
    const model = opened();
    control("add").click();
    model.answerAll();
    expect(control<HTMLSelectElement>("method", panel(1)).value).toBe("rise");
    set("method", "guided_backprop", panel(1));
    vi.advanceTimersByTime(300);
    expect(model.get("panels").map(({ method }) => method)).toEqual([
      "gradient",
      "guided_backprop",
    ]);
    control("remove", panel(0)).click();
    vi.advanceTimersByTime(300);
    expect(model.get("panels").map(({ method }) => method)).toEqual(["guided_backprop"]);
    expect(control("remove", panel(0)).hidden).toBe(true);
    expect(document.activeElement).toBe(control("method", panel(0)));
  });

  it("follow Python; those that stay are not computed again", () => {
    const model = opened(two());
    const before = model.sent.length;
    model.set("panels", [{ method: "gradient" }, { method: "gradcam" }, { method: "rise" }]);
    model.answerAll();
    const asked = model.sent.slice(before).map(({ params }) => params?.method);
    expect(asked).toEqual(["gradcam"]);
    expect(panels()).toHaveLength(3);
    model.set("panels", [{ method: "gradient" }]);
    expect(panels()).toHaveLength(1);
  });

  it("may be of a kind that only Python can name", () => {
    const model = opened();
    const theirs = { ...METHODS[0], name: "captum.DeepLift", title: "DeepLift (Captum)" };
    model.set("panels", [{ method: "captum.DeepLift" }]);
    model.set("_methods", [...METHODS, theirs as (typeof METHODS)[number]]);
    const select = control<HTMLSelectElement>("method", panel());
    expect(select.selectedOptions[0]?.text).toBe("DeepLift (Captum)");
    expect(model.last()?.params.method).toBe("captum.DeepLift");
    model.frame(model.last(), { done: 12, total: 0, final: false }, {});
    expect(status()).toBe("12 passes so far");
    const target = { index: null, name: "values of conv", score: null, score_kind: "custom" };
    model.answerMap(undefined, 1, { target });
    expect(one(".cnnviz-explained").textContent).toBe("Explains values of conv");
  });

  it("fail one by one, with the reason, and can be tried again", () => {
    const model = open({ panels: [{ method: "guided_backprop" }, { method: "gradient" }] });
    model.welcome();
    model.answerInput();
    model.fail("there is no ReLU", "Choose another method.");
    model.answerMap();
    expect(one("[role=alert]", panel(0)).textContent).toBe(
      "Guided backpropagation cannot be shownthere is no ReLUChoose another method.",
    );
    expect(one("[role=alert]", panel(1)).hidden).toBe(true);
    expect(status(1)).toBe("25 forward passes, 3.2\u00a0s");
    control("again", panel(0)).click();
    expect(model.last()?.params.method).toBe("guided_backprop");
    expect(one("[role=alert]", panel(0)).hidden).toBe(true);
  });
});
