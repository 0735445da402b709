import { beforeEach, describe, expect, it } from "vitest";
import { type LayerData, readLayer } from "../src/maps";
import { openSource, type Source } from "../src/source";
import { type FrameKey, makeStore, type Store } from "../src/store";
import { FakeClock } from "./clock";
import { FakeModel, LAYERS, layerEntry } from "./model";

let clock: FakeClock;
let model: FakeModel;
let source: Source<LayerData>;
let store: Store<LayerData>;
let events: string[];

beforeEach(() => {
  clock = new FakeClock();
  model = new FakeModel();
  store = makeStore(1_000_000);
  events = [];
  const handlers = {
    send: (content: unknown) => model.send(content),
    read: readLayer,
    onLayer: (key: FrameKey) => events.push(`layer ${key.layer}`),
    onFrame: (frame: { kind: string }) => events.push(frame.kind),
    onFailure: ({ message }: { message: string }) => events.push(`failed: ${message}`),
    onState: () => {},
    onEpoch: () => events.push("epoch"),
  };
  source = openSource("a", handlers, clock, () => 1, store);
  model.on("msg:custom", (content, buffers) => source.receive(content, buffers as DataView[]));
  source.setLayers(LAYERS.map((name, place) => layerEntry(name, place)));
  source.adopt(1);
  source.stream.start();
  model.welcome();
  events = [];
});

function key(layer: string, changes: Partial<FrameKey> = {}): FrameKey {
  return { epoch: source.epoch(), side: "output", layer, image: 0, tile: 64, ...changes };
}

describe("a source", () => {
  it("asks once and has the layer from then on", () => {
    expect(source.want(key("stem"))).toBeNull();
    model.answerLayer();
    expect(events).toEqual(["layer stem"]);
    const { length } = model.sent;
    expect(source.want(key("stem"))).toMatchObject({ is: "maps", channels: 3 });
    expect(model.sent).toHaveLength(length);
  });

  it("shows what comes on the way to a layer that is not here yet", () => {
    source.want(key("stem"));
    const first = model.last();
    source.want(key("head"));
    model.answerLayer(first);
    expect(events).toEqual(["layer stem"]);
    model.answerLayer();
    expect(events).toEqual(["layer stem", "layer head"]);
  });

  it("does not ask again for what comes as an earlier answer", () => {
    const requests = () => model.sent.filter(({ type }) => type === "req").length;
    source.want(key("stem"));
    clock.pass(30);
    model.answerLayer();
    source.want(key("head"));
    const head = model.last();
    clock.pass(29);
    source.want(key("body.relu"));
    source.want(key("head"));
    model.answerLayer(head);
    expect(events).toEqual(["layer stem", "layer head"]);
    model.answerLayer();
    expect(requests()).toBe(3);
  });

  it("never goes back: what comes late is kept without being shown", () => {
    source.want(key("stem"));
    const first = model.last();
    source.want(key("body.relu"));
    model.answerLayer(first);
    const second = model.last();
    source.want(key("head"));
    model.answerLayer(second);
    model.answerLayer(first);
    expect(events).toEqual(["layer stem", "layer body.relu"]);
    model.answerLayer();
    model.answerLayer(second);
    expect(events).toEqual(["layer stem", "layer body.relu", "layer head"]);
    expect(source.want(key("stem"))).not.toBeNull();
  });

  it("forgets everything when the kernel's state changes, and refuses older answers", () => {
    source.want(key("stem"));
    model.answerLayer();
    const old = model.last();
    source.adopt(2);
    expect(events).toEqual(["layer stem", "epoch"]);
    expect(source.want(key("stem"))).toBeNull();
    model.answerLayer(old);
    expect(store.bytes()).toBe(0);
    model.answerLayer(model.last(), { epoch: 2 });
    expect(events.at(-1)).toBe("layer stem");
  });

  it("adopts a newer state from a frame", () => {
    source.want(key("stem"));
    model.answerLayer(model.last(), { epoch: 5 });
    expect([source.epoch(), events[0]]).toEqual([5, "epoch"]);
  });

  it("prefetches when idle and stops for a slide", () => {
    source.want(key("stem"));
    model.answerLayer();
    clock.pass(200);
    const run = model.last("prefetch");
    expect(run?.params).toMatchObject({ layers: LAYERS.slice(1), image: 0, tile: 64 });
    const params = { layer: "body.conv", image: 0, tile: 64, side: "output" };
    model.answerLayer(run && { ...run, kind: "layer", params }, { final: false, prefetch: true });
    expect(events).toEqual(["layer stem"]);
    expect(source.want(key("body.conv"))).not.toBeNull();
    source.want(key("head"));
    expect(model.last()?.params.layer).toBe("head");
    model.frame(run, { sent: ["body.conv"] }, {});
    model.answerLayer();
    clock.pass(200);
    expect(model.last("prefetch")?.params.layers).toEqual(["body.relu"]);
  });

  it("gives up on layers that never come", () => {
    source.want(key("stem"));
    model.answerLayer();
    for (let run = 0; run < 20; run++) {
      clock.pass(200);
      model.frame(model.last("prefetch"), { sent: [] }, {});
    }
    const { length } = model.sent;
    clock.pass(10_000);
    expect(model.sent).toHaveLength(length);
    expect(length).toBeLessThan(12);
  });

  it("tells of an unreadable message once", () => {
    const broken = { type: "frame", cid: "a" };
    source.receive(broken, []);
    source.receive(broken, []);
    expect(events).toEqual(["failed: params is undefined"]);
  });

  it("leaves no timer when it is closed", () => {
    source.want(key("stem"));
    model.answerLayer();
    source.want(key("head"));
    source.close();
    expect(clock.pending).toBe(0);
  });
});
