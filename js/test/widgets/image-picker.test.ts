// @vitest-environment jsdom
import { describe, expect, it, vi } from "vitest";
import type { PickerTraits } from "../../src/pickertraits";
import { PART_BYTES } from "../../src/upload";
import widget from "../../src/widgets/image-picker";
import { PickerModel } from "../pickermodel";
import { control, one, page, painted, root, set, show, stops } from "../viewpage";

function open(traits: Partial<PickerTraits> = {}): PickerModel {
  const model = new PickerModel(traits);
  show(widget, model.model);
  return model;
}

function opened(traits: Partial<PickerTraits> = {}): PickerModel {
  const model = open(traits);
  model.answerAll();
  return model;
}

const alarm = () => one('[role="alert"]');
const steps = () => [...document.querySelectorAll(".cnnviz-done li")].map((li) => li.textContent);
const samples = () => [
  ...document.querySelectorAll<HTMLInputElement>('[data-cnnviz-control="sample"]'),
];

/** A file that can be read, as those of jsdom cannot. */
function fileOf(bytes: number[] | Uint8Array, name = "photo.png"): File {
  const data = Uint8Array.from(bytes);
  const slice = (start: number, end: number) => ({
    arrayBuffer: () => Promise.resolve(data.slice(start, end).buffer),
  });
  return { name, size: data.length, slice } as unknown as File;
}

/** Lets the browser tell of something that carries files. */
function carry(type: string, carrier: "dataTransfer" | "clipboardData", files: File[]): Event {
  const event = new Event(type, { bubbles: true, cancelable: true });
  Object.defineProperty(event, carrier, { value: { files, types: ["Files"] } });
  control("file").dispatchEvent(event);
  return event;
}

const drop = (...files: File[]) => carry("drop", "dataTransfer", files);

describe("opening", () => {
  it("shows the picture of the Inspector, and samples to choose from", () => {
    const model = opened();
    expect(painted).toEqual([{ image: 0, seq: 1 }]);
    expect(one(".cnnviz-predictions").textContent).toContain("cat0.750");
    expect(
      samples().map((sample) => sample.ariaLabel ?? sample.getAttribute("aria-label")),
    ).toEqual(["ant", "Sample 2 of 3", "cat"]);
    const canvases = [...document.querySelectorAll<HTMLCanvasElement>(".cnnviz-samples canvas")];
    const drawn = canvases.map((canvas) => page.put.get(canvas)?.data.slice(0, 4));
    expect(drawn.map((pixels) => [...(pixels ?? [])])).toEqual([
      [0, 1, 2, 255],
      [6, 7, 8, 255],
      [12, 13, 14, 255],
    ]);
    expect(one(".cnnviz-done").hidden).toBe(true);
    expect(model.sent.filter(({ type }) => type === "req")).toHaveLength(2);
  });

  it("shows the picture of an Inspector that is new", () => {
    const model = open({ _index: { ...new PickerModel().get("_index"), epoch: 0 } });
    expect(model.last()).toMatchObject({ kind: "input", params: { image: 0 } });
  });

  it("says what was done to a picture that was chosen before", () => {
    opened({ _chosen: { name: "p.png", sample: -1, steps: [["cropped", 9, 9, ""]] } });
    expect(one(".cnnviz-done strong").textContent).toBe("p.png");
    expect(steps()).toEqual(["cropped to its middle, 9 × 9"]);
  });

  it("offers no fit where the user's own function does all", () => {
    opened({ _preprocess: "transforms" });
    expect(one(".cnnviz-told > .cnnviz-control").hidden).toBe(true);
  });
});

describe("a file", () => {
  it("goes to the kernel in parts, then is asked for", async () => {
    const model = opened();
    const bytes = new Uint8Array(PART_BYTES + 3).fill(7);
    drop(fileOf(bytes));
    await vi.waitFor(() => expect(model.last("choose")).toBeDefined());
    expect(model.parts.map(({ part, bytes: sent }) => [part.place, sent.length])).toEqual([
      [0, PART_BYTES],
      [1, 3],
    ]);
    expect(model.parts[0]?.part).toMatchObject({
      type: "part",
      upload: 1,
      cid: model.sent[0]?.cid,
    });
    const size = bytes.length;
    expect(model.last("choose")?.params).toEqual({ upload: 1, name: "photo.png", size });
  });

  it("is shown with what was done to it", async () => {
    const model = opened();
    drop(fileOf([1]));
    await vi.waitFor(() => expect(model.last("choose")).toBeDefined());
    model.answerChoice(
      {
        name: "photo.png",
        sample: -1,
        steps: [
          ["turned", 3, 4, ""],
          ["shrunk", 2, 2, ""],
        ],
      },
      2,
    );
    expect(painted.at(-1)).toMatchObject({ image: 0 });
    expect(one(".cnnviz-predictions").textContent).toContain("dog0.900");
    expect(steps()).toEqual([
      "turned as the camera was held: 3 wide and 4 high",
      "made smaller to 2 × 2",
    ]);
    model.answerAll();
    expect(one(".cnnviz-predictions").textContent).toContain("dog");
  });

  it("can be chosen in the dialog, and again", async () => {
    const model = opened();
    const input = one<HTMLInputElement>('input[type="file"]');
    const click = vi.spyOn(input, "click").mockReturnValue();
    control("file").click();
    expect(click).toHaveBeenCalledOnce();
    Object.defineProperty(input, "files", { value: [fileOf([1])], configurable: true });
    input.dispatchEvent(new Event("change"));
    await vi.waitFor(() => expect(model.parts).toHaveLength(1));
    input.dispatchEvent(new Event("change"));
    await vi.waitFor(() => expect(model.parts).toHaveLength(2));
    expect(model.parts[1]?.part.upload).toBe(2);
  });

  it("can be pasted, but not into what is being written", async () => {
    const model = opened();
    const event = carry("paste", "clipboardData", [fileOf([1])]);
    expect(event.defaultPrevented).toBe(true);
    await vi.waitFor(() => expect(model.parts).toHaveLength(1));
    const other = document.body.appendChild(document.createElement("textarea"));
    const elsewhere = new Event("paste", { bubbles: true, cancelable: true });
    Object.defineProperty(elsewhere, "clipboardData", { value: { files: [fileOf([2])] } });
    other.dispatchEvent(elsewhere);
    expect(elsewhere.defaultPrevented).toBe(false);
    expect(model.parts).toHaveLength(1);
  });

  it.each([
    ["empty", fileOf([]), "The file is empty."],
    ["too large", fileOf([1, 2, 3], "big.png"), "at most 0 MB are taken"],
  ])("that is %s is refused at once", (_what, file, message) => {
    const model = opened({ _most_bytes: 2 });
    drop(file);
    expect(alarm().textContent).toContain(message);
    expect(model.parts).toEqual([]);
  });

  it("is said to be missing where something else is dropped", () => {
    opened();
    drop();
    expect(alarm().textContent).toContain("There is no picture file in it.");
  });

  it("gives way to a newer one while it is read", async () => {
    const model = opened();
    drop(fileOf([1]));
    drop(fileOf([2]));
    await vi.waitFor(() => expect(model.last("choose")).toBeDefined());
    expect(model.parts.map(({ bytes }) => [...bytes])).toEqual([[2]]);
  });

  it("that cannot be used is said, and the next one clears it", async () => {
    const model = opened({ _chosen: { name: "old", sample: 2, steps: [] } });
    samples()[0]?.click();
    const { cid, seq } = model.last("choose") ?? {};
    model.receive({ type: "err", cid, seq, kind: "choose", message: "It is broken.", hint: null });
    expect(alarm().textContent).toContain("This picture cannot be usedIt is broken.");
    expect(samples().map(({ checked }) => checked)).toEqual([false, false, true]);
    samples()[1]?.click();
    model.answerChoice({ name: "", sample: 1, steps: [] }, 2);
    expect(alarm().hidden).toBe(true);
    expect(one(".cnnviz-done strong").textContent).toBe("Sample 2 of 3");
    expect(steps()).toEqual(["taken as it is, pixel by pixel"]);
  });
});

describe("dragging", () => {
  it("marks the view until the drag leaves it or ends", () => {
    opened();
    const over = () => root().hasAttribute("data-drag");
    carry("dragenter", "dataTransfer", []);
    expect(over()).toBe(true);
    expect(control("file").textContent).toContain("Drop the picture");
    carry("dragenter", "dataTransfer", []); // into a child
    carry("dragleave", "dataTransfer", []); // out of its parent
    expect(over()).toBe(true);
    carry("dragleave", "dataTransfer", []);
    expect(over()).toBe(false);
    carry("dragenter", "dataTransfer", []);
    expect(carry("dragover", "dataTransfer", []).defaultPrevented).toBe(true);
    expect(drop().defaultPrevented).toBe(true);
    expect(over()).toBe(false);
  });
});

describe("choices", () => {
  it("asks for samples and another fit", () => {
    const model = opened();
    samples()[2]?.click();
    expect(model.last("choose")?.params).toEqual({ sample: 2 });
    set("fit", "pad", "change");
    model.answerChoice({ sample: 2, steps: [] }, 2);
    expect(model.last("choose")?.params).toEqual({ fit: "pad" });
    model.set("fit", "stretch");
    expect(control<HTMLSelectElement>("fit").value).toBe("stretch");
  });

  it("goes through the pictures of a batch", () => {
    const model = opened({ _index: { ...new PickerModel().get("_index"), batch: 3 } });
    set("image", "2");
    expect(model.last("input")?.params).toEqual({ image: 2 });
    model.answerAll();
    expect(painted.at(-1)).toMatchObject({ image: 2 });
    vi.advanceTimersByTime(300);
    expect(model.get("image")).toBe(2);
  });
});

describe("without a kernel", () => {
  it("keeps the last picture and says what choosing needs", () => {
    open();
    vi.advanceTimersByTime(30_000);
    expect(alarm().textContent).toContain("Choosing a picture needs a kernel");
    const controls = [control("file"), control("fit"), ...samples()];
    expect(controls.every(({ disabled }) => disabled)).toBe(true);
    drop(fileOf([1]));
    expect(alarm().textContent).toContain("This picture cannot be used");
  });

  it("ends all in the end", () => {
    const model = opened();
    for (const stop of stops.splice(0)) stop();
    expect(document.querySelector(".cnnviz")).toBeNull();
    expect(model.listeners).toBe(0);
    const event = new Event("paste", { bubbles: true, cancelable: true });
    document.body.dispatchEvent(event);
    expect(event.defaultPrevented).toBe(false);
  });
});
