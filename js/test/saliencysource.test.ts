import { beforeEach, expect, it } from "vitest";
import type { Answer, Question } from "../src/saliencymap";
import { openSaliencySource, type SaliencySource } from "../src/saliencysource";
import { FakeClock } from "./clock";
import { SaliencyFake } from "./saliencymodel";

let clock: FakeClock;
let model: SaliencyFake;
let source: SaliencySource;
let events: string[];

beforeEach(() => {
  clock = new FakeClock();
  model = new SaliencyFake();
  events = [];
  const handlers = {
    send: (content: unknown) => model.send(content),
    onAnswer: (panel: number, { isFinal, done, map }: Answer) =>
      events.push(`${panel}: ${isFinal ? `map ${map?.values[0]}` : `${done} done`}`),
    onFrame: ({ kind }: { kind: string }) => events.push(kind),
    onFailure: (panel: number | null, { message }: { message: string }) =>
      events.push(`${panel} failed: ${message}`),
    onState: () => {},
    onEpoch: () => events.push("epoch"),
  };
  source = openSaliencySource("a", handlers, clock, () => 1);
  model.on("msg:custom", (content, buffers) => source.receive(content, buffers as DataView[]));
  source.adopt(1);
  source.stream.start();
  model.welcome();
  model.sent.length = 0;
  events = [];
});

function question(method: string, changes: Partial<Question> = {}): Question {
  return { method, parameters: {}, target: null, image: 0, layer: null, ...changes };
}

function asked(): string[] {
  return model.sent.map(({ type, kind, seq, params }) =>
    type === "cancel" ? `cancel ${seq}` : `${kind} ${params.method}`,
  );
}

it("asks once, and answers from the page after that", () => {
  expect(source.want(0, question("gradient"))).toBeNull();
  expect(source.want(0, question("gradient"))).toBeNull();
  expect(asked()).toEqual(["panel:0 gradient"]);
  model.answerMap(model.last(), 3);
  expect(events).toEqual(["0: map 3"]);
  expect(source.want(1, question("gradient"))?.map?.values[0]).toBe(3);
  expect(asked()).toEqual(["panel:0 gradient"]);
});

it("takes the same question in another order for the same", () => {
  source.want(0, question("rise", { parameters: { masks: 9, seed: 1 } }));
  model.answerMap();
  const again = question("rise", { parameters: { seed: 1, masks: 9 } });
  expect(source.want(0, again)).not.toBeNull();
});

it("shows what there is so far, and keeps only what is finished", () => {
  source.want(0, question("rise"));
  model.answerPartial(undefined, 10, 40);
  model.answerPartial(undefined, 20, 40);
  expect(events).toEqual(["0: 10 done", "0: 20 done"]);
  expect(source.want(1, question("rise"))).toBeNull();
});

it("stops in the kernel what a panel no longer wants", () => {
  source.want(0, question("rise"));
  const first = model.last();
  source.want(0, question("gradient"));
  expect(asked()).toEqual(["panel:0 rise", `cancel ${first?.seq}`, "panel:0 gradient"]);
  model.answerPartial(first, 10, 40);
  expect(events).toEqual([]);
});

it("lets the panels wait for one another, and asks nothing for one that has left", () => {
  source.want(0, question("rise"));
  source.want(1, question("gradient"));
  source.want(2, question("occlusion"));
  source.cancel(1);
  expect(asked()).toEqual(["panel:0 rise"]);
  model.answerMap();
  expect(asked()).toEqual(["panel:0 rise", "panel:2 occlusion"]);
});

it("asks again after a failure or a cancellation, when it is told to", () => {
  source.want(3, question("rise"));
  model.fail("no ReLU");
  expect(events).toEqual(["3 failed: no ReLU"]);
  source.want(3, question("rise"));
  source.cancel(3);
  source.want(3, question("rise"));
  expect(asked().filter((text) => text === "panel:3 rise")).toHaveLength(3);
});

it("forgets everything when the network changes", () => {
  source.want(0, question("gradient"));
  model.answerMap();
  source.want(1, question("rise"));
  source.adopt(2);
  expect(events).toEqual(["0: map 1", "epoch"]);
  model.answerMap(model.last(), 5);
  expect(events).toHaveLength(2);
  expect(source.want(0, question("gradient"))).toBeNull();
});

it("tells of an answer that it cannot read", () => {
  source.want(0, question("gradient"));
  model.frame(model.last(), {}, {});
  expect(events).toEqual(["null failed: a finished map has no values"]);
});
