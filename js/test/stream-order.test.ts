import { describe, expect, it } from "vitest";
import { bench, clock } from "./bench";

describe("priorities", () => {
  it("stops a prefetch for a slide, at once", () => {
    bench.welcome();
    expect(bench.stream.prefetch({ layers: ["x", "y"] })).toBe(true);
    const run = bench.last();
    bench.ask("a");
    expect(bench.last()?.kind).toBe("layer");
    bench.answer(run, false);
    bench.answer(run);
    bench.answer(bench.last());
    expect(bench.stream.isQuiet()).toBe(true);
    expect(bench.requests).toHaveLength(2);
  });

  it("prefetches only when nothing else goes on and a kernel is there", () => {
    expect(bench.stream.prefetch({ layers: ["x"] })).toBe(false);
    bench.welcome();
    bench.ask("a");
    expect(bench.stream.prefetch({ layers: ["x"] })).toBe(false);
    bench.answer(bench.last());
    expect(bench.stream.prefetch({ layers: ["x"] })).toBe(true);
  });

  it("puts a channel back for a layer and asks for it afterwards", () => {
    bench.stream.ask("channel", { layer: "a", channel: 3 });
    bench.ask("b");
    expect(bench.requests.map(({ kind }) => kind)).toEqual(["channel", "layer"]);
    bench.answer(bench.last());
    expect(bench.requests.map(({ kind }) => kind)).toEqual(["channel", "layer", "channel"]);
    bench.answer(bench.last());
    expect(bench.stream.isQuiet()).toBe(true);
  });

  it("takes the late answer to a request that was put back", () => {
    bench.stream.ask("channel", { layer: "a", channel: 3 });
    const channel = bench.last();
    bench.ask("b");
    bench.answer(channel);
    bench.answer(bench.last());
    expect(bench.requests).toHaveLength(2);
    expect(bench.drawn).toEqual([1, 2]);
  });

  it("keeps a run alive while its frames come", () => {
    bench.welcome();
    bench.stream.prefetch({ layers: ["x"] });
    for (let i = 0; i < 5; i++) {
      clock.pass(600);
      bench.answer(bench.requests[0], false);
    }
    expect(bench.requests).toHaveLength(1);
  });
});

describe("what is taken back", () => {
  it("is stopped in the kernel, and the next goes out at once", () => {
    bench.ask("a");
    bench.stream.ask("channel", { layer: "a", channel: 3 });
    bench.stream.cancel("layer");
    expect(bench.sent.map(({ type, seq }) => [type, seq])).toEqual([
      ["req", 1],
      ["cancel", 1],
      ["req", 2],
    ]);
    expect(bench.last()?.kind).toBe("channel");
  });

  it("is never sent if it still waits", () => {
    bench.ask("a");
    bench.stream.ask("channel", { layer: "a", channel: 3 });
    bench.stream.cancel("channel");
    bench.answer(bench.last());
    expect(bench.sent).toHaveLength(1);
    expect(bench.stream.isQuiet()).toBe(true);
  });
});

describe("an answer in parts", () => {
  it("is no sign of a kernel that is silent", () => {
    bench.welcome();
    bench.ask("a");
    for (let i = 0; i < 10; i++) {
      clock.pass(500);
      bench.answer(bench.requests[0], false);
    }
    expect(bench.states).toEqual(["asking", "busy"]);
    clock.pass(2_000);
    expect(bench.states.at(-1)).toBe("waiting");
  });
});
