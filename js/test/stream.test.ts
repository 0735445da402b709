import { describe, expect, it } from "vitest";
import { openStream } from "../src/stream";
import { Bench, bench, clock, type Request, SLOTS } from "./bench";

describe("latest wins", () => {
  it("keeps one request in flight and the newest waiting", () => {
    for (const layer of ["a", "b", "c", "d"]) bench.ask(layer);
    expect(bench.layers).toEqual(["a"]);
    bench.answer(bench.last());
    expect(bench.layers).toEqual(["a", "d"]);
    bench.answer(bench.last());
    expect(bench.layers).toEqual(["a", "d"]);
    expect(bench.drawn).toEqual([1, 2]);
  });

  it("sends the next request only after the answer was delivered", () => {
    const order: string[] = [];
    const stream = openStream(
      "a",
      {
        send: (content) => order.push(`send ${(content as Request).seq}`),
        onFrame: (frame) => order.push(`draw ${frame.seq}`),
        onFailure: () => {},
        onWelcome: () => {},
        onState: () => {},
      },
      clock,
      SLOTS,
    );
    stream.ask("layer", { layer: "a" });
    stream.ask("layer", { layer: "b" });
    const rest = { epoch: 1, final: true, header: {}, arrays: {}, bytes: 0, params: {} };
    stream.receive({ type: "frame", cid: "a", seq: 1, kind: "layer", ...rest });
    expect(order).toEqual(["send 1", "draw 1", "send 2"]);
  });

  it("does not ask twice for what is in flight", () => {
    bench.ask("a");
    bench.ask("b");
    bench.ask("a");
    bench.answer(bench.last());
    expect(bench.layers).toEqual(["a"]);
  });

  it("costs a drag of 120 events no more requests than answers", () => {
    let answered = 0;
    for (let i = 0; i < 120; i++) {
      bench.ask(`layer ${i}`);
      clock.pass(16);
      if (i % 4 === 3) bench.answer(bench.requests[answered++]);
      expect(bench.requests.length).toBeLessThanOrEqual(answered + 2);
    }
    expect(bench.requests).toHaveLength(31);
    while (answered < bench.requests.length) bench.answer(bench.requests[answered++]);
    expect(bench.last()?.params.layer).toBe("layer 119");
    expect(bench.stream.isQuiet()).toBe(true);
  });
});

describe("a slide", () => {
  /** A kernel that is known to answer within so many milliseconds. */
  const usual = (ms: number) => {
    bench.ask("first");
    clock.pass(ms);
    bench.answer(bench.last());
  };
  const asked = () => bench.layers.slice(1);

  it("follows a request that is nearly answered with one more, and no third", () => {
    usual(30);
    bench.ask("a");
    clock.pass(17);
    bench.ask("b");
    clock.pass(1);
    bench.ask("c");
    expect(asked()).toEqual(["a"]);
    clock.pass(30);
    bench.ask("d");
    expect(asked()).toEqual(["a", "c"]);
    bench.answer(bench.requests[1]);
    expect(asked()).toEqual(["a", "c", "d"]);
    expect(bench.states).toEqual(["asking", "idle", "asking"]);
  });

  it("lets the last of a slide follow by itself, when it is time", () => {
    usual(30);
    bench.ask("a");
    clock.pass(1);
    bench.ask("b");
    clock.pass(17);
    expect(asked()).toEqual(["a"]);
    clock.pass(2);
    expect(asked()).toEqual(["a", "b"]);
  });

  it("does with the answer to the newest: what it replaced is not waited for", () => {
    usual(30);
    bench.ask("a");
    clock.pass(20);
    bench.ask("b");
    const [, a, b] = bench.requests;
    bench.answer(b);
    expect(bench.stream.isQuiet()).toBe(true);
    bench.answer(a);
    bench.ask("c");
    expect(asked()).toEqual(["a", "b", "c"]);
    expect(bench.drawn).toEqual([1, 3, 2]);
  });

  it("sends only the newest again where both are lost", () => {
    usual(30);
    bench.ask("a");
    clock.pass(20);
    bench.ask("b");
    clock.pass(700);
    expect(asked()).toEqual(["a", "b", "b"]);
  });

  it("is of layers: a computation, which a newer request would stop, is let come", () => {
    bench.stream.ask("map", { layer: "first" });
    clock.pass(30);
    bench.answer(bench.last());
    bench.stream.ask("map", { layer: "a" });
    clock.pass(29);
    bench.stream.ask("map", { layer: "b" });
    expect(asked()).toEqual(["a"]);
  });
});

describe("a lossy connection", () => {
  it("sends a lost request again, later each time, at most every 5 s", () => {
    bench.ask("a");
    const at: number[] = [];
    for (let ms = 0, seen = 1; ms < 20_000; ms += 100) {
      clock.pass(100);
      if (bench.requests.length > seen) at.push(clock.now());
      seen = bench.requests.length;
    }
    expect(at).toEqual([700, 2_100, 4_900, 9_900, 14_900, 19_900]);
    expect(new Set(bench.requests.map(({ seq }) => seq))).toEqual(new Set([1]));
    bench.answer(bench.last());
    expect(bench.drawn).toEqual([1]);
    clock.pass(60_000);
    expect(bench.requests).toHaveLength(7);
  });

  it("waits four times the usual time where the kernel is slow", () => {
    bench.ask("a");
    clock.pass(600);
    bench.answer(bench.last());
    bench.ask("b");
    clock.pass(2_300);
    expect(bench.requests).toHaveLength(2);
    clock.pass(200);
    expect(bench.requests).toHaveLength(3);
  });

  it("draws a duplicate as harmlessly as the first", () => {
    bench.ask("a");
    const first = bench.last();
    bench.answer(first);
    bench.answer(first);
    expect(bench.stream.isQuiet()).toBe(true);
    expect(bench.requests).toHaveLength(1);
  });

  it("hands over late and reordered answers without asking again", () => {
    bench.ask("a");
    const first = bench.last();
    bench.ask("b");
    bench.answer(first);
    const second = bench.last();
    bench.answer(second);
    bench.answer(first);
    expect(bench.drawn).toEqual([1, 2, 1]);
  });

  it("recovers from a flood that drops 70 % of the messages", () => {
    let random = 7;
    const dropped = () => {
      random = (random * 48_271) % 2_147_483_647;
      return random / 2_147_483_647 < 0.7;
    };
    bench.ask("a");
    bench.ask("b");
    let seen = 0;
    for (let ms = 0; ms < 120_000 && !bench.stream.isQuiet(); ms += 50) {
      clock.pass(50);
      for (const request of bench.requests.slice(seen)) {
        seen += 1;
        if (!dropped() && !dropped()) bench.answer(request);
      }
    }
    expect(bench.stream.isQuiet()).toBe(true);
    expect(bench.last()?.params.layer).toBe("b");
  });
});

describe("a kernel that is busy, silent or gone", () => {
  it("says busy after 300 ms, waiting after 2 s, and draws after 10 s", () => {
    bench.welcome();
    bench.ask("a");
    clock.pass(299);
    expect(bench.states.at(-1)).toBe("asking");
    clock.pass(1);
    expect(bench.states.at(-1)).toBe("busy");
    clock.pass(1_700);
    expect(bench.states.at(-1)).toBe("waiting");
    clock.pass(8_000);
    const late = bench.requests;
    for (const request of late) bench.answer(request);
    expect(bench.states.at(-1)).toBe("idle");
    expect(bench.drawn[0]).toBe(1);
    expect(bench.states).toEqual(["asking", "busy", "waiting", "idle"]);
  });

  it("knows a page that answers itself, and fetches nothing ahead from it", () => {
    bench.stream.start();
    bench.stream.receive({ type: "welcome", cid: "a", epoch: 1, stored: true });
    expect(bench.states).toEqual(["stored"]);
    expect(bench.stream.prefetch({ layers: ["a"] })).toBe(false);
    bench.ask("a");
    clock.pass(400);
    expect(bench.states).toEqual(["stored"]);
    bench.welcome();
    expect(bench.states.at(-1)).toBe("busy");
  });

  it("is static without a welcome within 1.5 s and upgraded when it comes", () => {
    bench.stream.start();
    clock.pass(1_499);
    expect(bench.states).toEqual([]);
    clock.pass(1);
    expect(bench.states).toEqual(["static"]);
    bench.welcome();
    expect(bench.states.at(-1)).toBe("idle");
  });

  it("says hello a few times and then leaves it", () => {
    bench.stream.start();
    clock.pass(600_000);
    expect(bench.sent.filter(({ type }) => type === "hello")).toHaveLength(5);
    expect(clock.pending).toBe(0);
  });

  it("turns static when a restarted kernel answers no more, and recovers", () => {
    bench.welcome();
    bench.ask("a");
    clock.pass(30_000);
    expect(bench.states.at(-1)).toBe("static");
    clock.pass(20_000);
    bench.answer(bench.last());
    expect(bench.states.at(-1)).toBe("idle");
  });

  it("survives a connection that throws", () => {
    const stream = openStream(
      "a",
      {
        send: () => {
          throw new Error("the comm is closed");
        },
        onFrame: () => {},
        onFailure: () => {},
        onWelcome: () => {},
        onState: () => {},
      },
      clock,
      SLOTS,
    );
    stream.start();
    expect(() => stream.ask("layer", { layer: "a" })).not.toThrow();
  });

  it("reports an error and goes on", () => {
    bench.ask("a");
    bench.ask("b");
    const rest = { cid: "a", kind: "layer", message: "out of memory", hint: null };
    bench.stream.receive({ type: "err", seq: 1, ...rest });
    expect(bench.failures).toHaveLength(1);
    expect(bench.layers).toEqual(["a", "b"]);
    bench.stream.receive({ type: "err", seq: 1, ...rest });
    expect(bench.failures).toHaveLength(1);
  });
});

describe("views", () => {
  it("say hello as the kernel reads it, and ask as it reads", () => {
    bench.stream.start();
    bench.ask("a");
    expect(bench.sent).toEqual([
      { type: "hello", v: 1, cid: "a", dpr: 1, visible: true },
      { type: "req", cid: "a", seq: 1, kind: "layer", params: { layer: "a" } },
    ]);
  });

  it("ignores the messages of other views", () => {
    const other = new Bench(clock, "b");
    bench.ask("a");
    other.ask("b");
    bench.answer(other.last());
    expect(bench.drawn).toEqual([]);
    expect(bench.stream.isQuiet()).toBe(false);
    bench.answer(bench.last());
    expect(bench.drawn).toEqual([1]);
  });

  it("asks for nothing while hidden and catches up when seen", () => {
    bench.stream.setVisible(false);
    bench.ask("a");
    bench.ask("b");
    clock.pass(10_000);
    expect(bench.requests).toHaveLength(0);
    bench.stream.setVisible(true);
    expect(bench.layers).toEqual(["b"]);
  });

  it("drops what waits and lets come what is in flight", () => {
    bench.ask("a");
    bench.ask("b");
    bench.stream.drop("layer");
    bench.answer(bench.last());
    expect(bench.layers).toEqual(["a"]);
    expect(bench.drawn).toEqual([1]);
  });

  it("leaves nothing behind when it is closed", () => {
    bench.stream.start();
    bench.ask("a");
    bench.ask("b");
    const request = bench.last();
    bench.stream.close();
    expect(bench.sent.at(-1)).toEqual({ type: "cancel", cid: "a", seq: 1 });
    expect(clock.pending).toBe(0);
    bench.answer(request);
    bench.ask("c");
    clock.pass(60_000);
    expect(bench.drawn).toEqual([]);
    expect(bench.layers).toEqual(["a"]);
  });
});
