import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import bakedWidget, {
  type Answers,
  type BakedTraits,
  bakedModel,
  type Message,
} from "../src/baked";
import { indexOf, WidgetModel } from "./model";
import { SPOKEN } from "./tables";

type Told = { content: Record<string, unknown>; bytes: number[] };

const ANSWERS: Answers = [
  ["layer", { layer: "stem", image: 0, tile: 64 }, [[{ arrays: [], note: "a" }, 0, 2]]],
  ["panel:0", { method: "gradient", target: null }, [[{ note: "g" }, 2, 1]]],
  [
    "sweep",
    { method: "cam", classes: [3], first: "x" },
    [
      [{ kind: "maps" }, 0, 1],
      [{ n: 3 }, 1, 1],
    ],
  ],
  ["sweep", { method: "cam", classes: [5], first: "x" }, [[{ n: 5 }, 2, 1]]],
];

function traits(more: Partial<BakedTraits> = {}): BakedTraits {
  return { ...SPOKEN, _index: indexOf(), linked: true, _baked: null, ...more };
}

describe("a baked model", () => {
  let told: Told[];

  const ask = async (kind: string, params: object, type = "req") => {
    const real = new WidgetModel<BakedTraits>(traits());
    const memory = Uint8Array.from([7, 8, 9]).buffer;
    const read = (start: number, size: number) => new DataView(memory, start, size);
    const model = bakedModel(real.model, ANSWERS, read);
    model.on("msg:custom", (content, buffers) => {
      const [view] = buffers as DataView[];
      const bytes = view ? [...new Uint8Array(view.buffer, view.byteOffset, view.byteLength)] : [];
      told.push({ content, bytes });
    });
    model.send({ type, cid: "a", seq: 4, kind, params } as unknown as Message);
    expect(told).toEqual([]);
    await Promise.resolve();
    expect(real.sent).toEqual([]);
  };

  beforeEach(() => {
    told = [];
  });

  it("says that it is none", async () => {
    await ask("", {}, "hello");
    expect(told[0]?.content).toMatchObject({ type: "welcome", stored: true, epoch: 1, cid: "a" });
  });

  it("answers as a kernel would, whatever the screen", async () => {
    const params = { layer: "stem", image: 0, tile: 128 };
    await ask("layer", params);
    const frame = { type: "frame", cid: "a", seq: 4, kind: "layer", params, final: true };
    expect(told).toEqual([
      { content: expect.objectContaining({ ...frame, note: "a" }), bytes: [7, 8] },
    ]);
  });

  it("answers for whatever place in the view", async () => {
    await ask("panel:3", { method: "gradient", target: null });
    expect(told[0]?.content).toMatchObject({ kind: "panel:3", note: "g" });
  });

  it("puts answers to several classes together", async () => {
    await ask("sweep", { method: "cam", classes: [5, 3], first: "y" });
    expect(told.map(({ content, bytes }) => [content.kind, content.final, bytes])).toEqual([
      ["sweep", false, [9]],
      ["maps", false, [7]],
      ["sweep", true, [8]],
    ]);
  });

  it("tells nobody who has left", async () => {
    const read = () => new DataView(new ArrayBuffer(0));
    const model = bakedModel(new WidgetModel(traits()).model, ANSWERS, read);
    const listener = vi.fn();
    model.on("msg:custom", listener);
    model.off("msg:custom", listener);
    model.send({ type: "hello", cid: "a" } as Message);
    await Promise.resolve();
    expect(listener).not.toHaveBeenCalled();
  });

  it("says what it has not", async () => {
    await ask("layer", { layer: "other", image: 0, tile: 64 });
    await ask("sweep", { method: "cam", classes: [3, 4], first: "x" }).catch(() => {});
    expect(told[0]?.content).toMatchObject({ type: "err", seq: 4, kind: "layer" });
  });
});

describe("a baked widget", () => {
  const opened: string[] = [];
  const widget = {
    render({ model }: { model: unknown }) {
      opened.push(model === fake.model ? "kernel" : "page");
      return () => opened.push("closed");
    },
  };
  let fake: WidgetModel<BakedTraits>;

  function render(more: Partial<BakedTraits>): () => void {
    fake = new WidgetModel(traits(more));
    const props = { model: fake.model } as unknown as Parameters<typeof widget.render>[0];
    return bakedWidget(widget as never).render(props as never);
  }

  async function packed(): Promise<DataView<ArrayBuffer>> {
    const whole = Uint8Array.from([...new TextEncoder().encode("[]"), 0, 0, 0, 0]);
    const stream = new Blob([whole]).stream().pipeThrough(new CompressionStream("gzip"));
    return new DataView(await new Response(stream).arrayBuffer());
  }

  beforeEach(() => {
    opened.length = 0;
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "performance"] });
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  it("is the widget itself where nothing was baked", () => {
    const end = render({});
    vi.advanceTimersByTime(10_000);
    end();
    expect(opened).toEqual(["kernel", "closed"]);
  });

  it("is opened over the page where no kernel answers, until one does", async () => {
    const end = render({ _baked: await packed() });
    vi.advanceTimersByTime(900);
    await vi.waitFor(() => expect(opened).toEqual(["kernel", "closed", "page"]));
    fake.welcome();
    expect(opened.slice(3)).toEqual(["closed", "kernel"]);
    end();
    expect(opened.at(-1)).toBe("closed");
    expect(fake.listeners).toBe(0);
  });

  it("is opened over the page at once where no kernel can be", async () => {
    render({ _baked: await packed(), _static: true });
    vi.advanceTimersByTime(0);
    vi.useRealTimers();
    await vi.waitFor(() => expect(opened).toEqual(["kernel", "closed", "page"]));
  });

  it("is not opened again after its end", async () => {
    const end = render({ _baked: await packed() });
    vi.advanceTimersByTime(900);
    end();
    // Longer than what was begun can take.
    for (let turn = 0; turn < 5; turn++) await packed();
    expect(opened).toEqual(["kernel", "closed"]);
  });

  it("stays with a kernel that answers", async () => {
    render({ _baked: await packed() });
    fake.welcome();
    vi.advanceTimersByTime(10_000);
    expect(opened).toEqual(["kernel"]);
  });
});
