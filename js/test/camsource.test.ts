import { beforeEach, describe, expect, it } from "vitest";
import { type CamQuery, type CamSource, openCamSource } from "../src/camsource";
import { CamModel } from "./cammodel";
import { FakeClock } from "./clock";
import { LAYERS } from "./model";

let clock: FakeClock;
let model: CamModel;
let source: CamSource;
let events: string[];

beforeEach(() => {
  clock = new FakeClock();
  model = new CamModel();
  events = [];
  source = openCamSource(
    "a",
    {
      send: (content) => model.send(content),
      onMaps: () => events.push("maps"),
      onProgress: (done, total) => total && events.push(`${done} of ${total}`),
      onFrame: ({ kind }) => events.push(kind),
      onFailure: ({ message }) => events.push(`failed: ${message}`),
      onState: () => {},
      onEpoch: () => events.push("epoch"),
    },
    clock,
    () => 1,
  );
  model.on("msg:custom", (content, buffers) => source.receive(content, buffers as DataView[]));
  source.stream.start();
  model.welcome();
  source.adopt(1);
  events = [];
});

function query(changes: Partial<CamQuery> = {}): CamQuery {
  const usual = { method: "gradcam", image: 0, layer: "stem", targets: [2], isSlow: false };
  return { ...usual, ...changes };
}

const kinds = () => model.sent.filter(({ type }) => type === "req").map(({ kind }) => kind);

describe("maps", () => {
  it("come with one sweep for every layer, the one looked at first", () => {
    source.want(query());
    expect(model.last()?.params).toEqual({
      method: "gradcam",
      image: 0,
      classes: [2],
      first: "stem",
    });
    source.want(query({ layer: "body.conv" }));
    expect(kinds()).toEqual(["sweep"]);
    model.answerSweep();
    for (const layer of LAYERS.slice(0, 3)) expect(source.find(query({ layer }))[0]).toBeTruthy();
    expect(source.score(0, 2)).toMatchObject({ score: 2.5, kind: "logit" });
    source.want(query({ layer: "body.relu" }));
    expect(kinds()).toEqual(["sweep"]);
  });

  it("are asked for by class: only those that are not here", () => {
    source.want(query());
    model.answerSweep();
    source.want(query({ targets: [2, 3, 3] }));
    expect(model.last("sweep")?.params.classes).toEqual([3]);
  });

  it("are asked for singly where the sweep did not bring them", () => {
    source.want(query());
    model.answerSweep(model.last("sweep"), ["body.relu"]);
    source.want(query());
    expect(model.last()?.kind).toBe("map");
    const { cid, seq, kind } = model.last() ?? {};
    model.receive({ type: "err", cid, seq, kind, message: "not at this layer", hint: null });
    expect(events.at(-1)).toBe("failed: not at this layer");
  });

  it("of one layer alone are exact, and asked for once", () => {
    source.want(query());
    model.answerSweep();
    source.wantExact(query());
    expect(model.last("map")?.params).toMatchObject({ layer: "stem", classes: [2] });
    model.answerMap();
    expect(source.find(query())[0]?.exact).toBeInstanceOf(Float32Array);
    source.wantExact(query());
    expect(kinds()).toEqual(["sweep", "map"]);
  });
});

describe("ahead", () => {
  it("come likely classes first and other methods then, while nobody waits", () => {
    source.plan([2, 1, 0], ["layercam", "scorecam", "gradcam"]);
    source.want(query());
    clock.pass(500);
    expect(kinds()).toEqual(["sweep"]);
    model.answerSweep();
    clock.pass(500);
    expect(model.last()).toMatchObject({ kind: "ahead", params: { classes: [1, 0] } });
    model.answerSweep(model.last());
    clock.pass(500);
    expect(model.last()).toMatchObject({ params: { methods: ["layercam"], classes: [2] } });
    model.answerSweep(model.last());
    clock.pass(10_000);
    expect(kinds()).toEqual(["sweep", "ahead", "ahead"]);
    source.want(query({ targets: [1, 0], layer: "body.relu" }));
    expect(kinds()).toHaveLength(3);
  });

  it("give way to a slide, and are tried again only so often", () => {
    source.plan([2, 1], []);
    source.want(query());
    model.answerSweep();
    for (let i = 0; i < 4; i++) {
      clock.pass(500);
      if (model.last()?.kind === "ahead") model.frame(model.last(), { scores: [] }, {});
    }
    expect(kinds()).toEqual(["sweep", "ahead", "ahead"]);
    source.want(query({ targets: [1] }));
    expect(model.last()?.kind).toBe("sweep");
  });
});

describe("a slow method", () => {
  const slow = query({ method: "scorecam", isSlow: true });

  it("is not swept, but asked for at one layer, and tells how far it is", () => {
    source.want(slow);
    expect(kinds()).toEqual([]);
    source.wantExact(slow);
    expect(model.last("map")?.params.method).toBe("scorecam");
    model.frame(model.last(), { done: 3, total: 9, kind: "progress", final: false }, {});
    expect(events).toContain("3 of 9");
    model.answerMap(model.last(), { done: 5, total: 9, final: false });
    expect(source.find(slow)[0]?.isFinal).toBe(false);
    source.leave();
    expect(model.sent.at(-1)).toMatchObject({ type: "cancel" });
    source.wantExact(slow);
    expect(kinds()).toEqual(["map", "map"]);
    model.answerMap();
    expect(source.find(slow)[0]?.isFinal).toBe(true);
  });
});

it("forgets all of it when the network has changed", () => {
  source.want(query());
  model.answerSweep();
  source.adopt(2);
  expect(events.at(-1)).toBe("epoch");
  expect(source.find(query())).toEqual([null]);
  expect(source.score(0, 2)).toBeNull();
  model.answerSweep();
  expect(source.find(query())).toEqual([null]);
});

it("says what it cannot read, and leaves no timer behind", () => {
  source.want(query());
  model.sendMaps(model.last("sweep"), ["stem"], { arrays: [] });
  expect(events.at(-1)).toContain("failed: table is not u4");
  source.close();
  expect(clock.pending).toBe(0);
});
