/** A stream over a fake clock, and a kernel that answers when told to. */

import { beforeEach } from "vitest";
import { openStream, type Stream, type StreamState } from "../src/stream";
import type { Failure, Frame, Params } from "../src/wire";
import { FakeClock } from "./clock";

export interface Request {
  type: string;
  cid: string;
  seq: number;
  kind: string;
  params: Params;
}

export const SLOTS = ["layer", "channel"];

/** A stream, what it sent, what it delivered, and a kernel that answers when told to. */
export class Bench {
  readonly sent: Request[] = [];
  readonly drawn: number[] = [];
  readonly failures: Failure[] = [];
  readonly states: StreamState[] = [];
  readonly stream: Stream;

  constructor(
    readonly clock: FakeClock,
    readonly cid = "a",
  ) {
    this.stream = openStream(
      cid,
      {
        send: (content) => this.sent.push(content as Request),
        onFrame: ({ seq }) => this.drawn.push(seq),
        onFailure: (failure) => this.failures.push(failure),
        onWelcome: () => {},
        onState: (state) => this.states.push(state),
      },
      clock,
      SLOTS,
    );
  }

  get requests(): Request[] {
    return this.sent.filter(({ type }) => type === "req");
  }

  get layers(): unknown[] {
    return this.requests.map(({ params }) => params.layer);
  }

  welcome(): void {
    this.stream.receive({ type: "welcome", cid: this.cid, epoch: 1 });
  }

  ask(layer: string): void {
    this.stream.ask("layer", { layer });
  }

  answer(request: Request | undefined, final = true): void {
    if (!request) throw new Error("nothing to answer");
    const { cid, seq, kind, params } = request;
    const rest = { epoch: 1, header: {}, arrays: {}, bytes: 0 };
    const frame: Frame = { type: "frame", cid, seq, kind, params, final, ...rest };
    this.stream.receive(frame);
  }

  last(): Request | undefined {
    return this.requests.at(-1);
  }
}

export let clock: FakeClock;
export let bench: Bench;

beforeEach(() => {
  clock = new FakeClock();
  bench = new Bench(clock);
});
