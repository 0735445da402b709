/**
 * The answers that a page carries, so that a widget works without a kernel. Their other half is
 * cnnviz_widgets/streaming/baked.py. No widget's bundle holds this: it is wrapped around those that
 * were baked.
 */

import type { AnyModel, RenderProps } from "@anywidget/types";
import { makeTimer, realClock } from "./clock";
import type { SharedTraits } from "./traits";
import type { Params } from "./wire";
import { say, takeWords } from "./words";

export interface BakedTraits extends SharedTraits {
  /** Answers for when there is no kernel, compressed. */
  _baked: DataView<ArrayBuffer> | null;
  /** Whether the page knows that there is no kernel. */
  _static?: boolean;
}

/** A widget, as its bundle exports it. */
export interface Widget<T extends SharedTraits> {
  render(props: RenderProps<T>): () => void;
}

export interface Message {
  readonly type: string;
  readonly cid: string;
  readonly kind: string;
  readonly params: Params;
}

type Listener = (content: unknown, buffers: readonly DataView[]) => void;

/** Header of a frame, without what it has of its request; where its arrays are, in bytes. */
type Stored = readonly [header: object, start: number, size: number];

/** Requests, and the frames that answer them. */
export type Answers = readonly (readonly [
  kind: string,
  params: Params,
  frames: readonly Stored[],
])[];

/** A kernel at work answers within this time; one that is busy takes over when it does. */
const WAIT_MS = 800;

/**
 * The same text for the same question, whatever the screen of whoever asks ("tile"), what is to come
 * first ("first"), and the place in the view for which it is asked ("panel:2").
 */
function textOf(kind: string, params: Params): string {
  const { tile, first, ...asked } = params;
  return JSON.stringify([kind.split(":", 1), asked]);
}

async function unpack(packed: DataView<ArrayBuffer>): Promise<ArrayBuffer> {
  const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("gzip"));
  return new Response(stream).arrayBuffer();
}

/** Reads what follows the frames' arrays: the description of all answers, and where it begins. */
function readAnswers(memory: ArrayBuffer): Answers {
  const end = memory.byteLength - 4;
  const start = new DataView(memory).getUint32(end, true);
  return JSON.parse(new TextDecoder().decode(memory.slice(start, end)));
}

/**
 * A model whose messages the page answers instead of a kernel.
 *
 * @param read gives the arrays of a frame, by where they begin and their bytes
 */
export function bakedModel<T extends BakedTraits>(
  model: AnyModel<T>,
  stored: Answers,
  read: (start: number, size: number) => DataView,
): AnyModel<T> {
  const answers = new Map(
    stored.map(([kind, params, frames]) => [textOf(kind, params), frames] as const),
  );
  /** The frames of an answer; what is stored of single classes answers for several, too. */
  const find = (kind: string, params: Params): readonly Stored[] | undefined => {
    const whole = answers.get(textOf(kind, params));
    const { classes } = params;
    if (whole || !Array.isArray(classes)) return whole;
    const parts = classes.map((each) => answers.get(textOf(kind, { ...params, classes: [each] })));
    return parts.every((part) => part) ? parts.flatMap((part) => part ?? []) : undefined;
  };
  const listeners = new Set<Listener>();
  const tell = (content: object, buffers: readonly DataView[] = []) => {
    for (const listener of listeners) listener(content, buffers);
  };

  const answer = (message: Message) => {
    const { type, kind, params } = message;
    const common = { ...message, epoch: model.get("_index").epoch };
    if (type === "hello") tell({ ...common, type: "welcome", stored: true });
    if (type !== "req") return;
    const frames = find(kind, params);
    if (!frames) {
      takeWords(model.get("_words"), model.get("_language"));
      tell({ ...common, type: "err", message: say("not_stored"), hint: say("needs_kernel") });
      return;
    }
    frames.forEach(([header, start, size], place) => {
      const frame = { ...common, type: "frame", final: place === frames.length - 1, ...header };
      tell(frame, [read(start, size)]);
    });
  };

  return {
    get: (name) => model.get(name),
    set: (name, value) => model.set(name, value),
    save_changes: () => model.save_changes(),
    on(event: string, listener: (...args: never[]) => void) {
      if (event === "msg:custom") listeners.add(listener as Listener);
      else model.on(event, listener as () => void);
    },
    off(event?: string | null, listener?: ((...args: never[]) => void) | null) {
      if (event === "msg:custom") listeners.delete(listener as Listener);
      else model.off(event, listener as () => void);
    },
    // Later, but before the page is painted: whoever asks is not done asking.
    send: (content: Message) => queueMicrotask(() => answer(content)),
    widget_manager: model.widget_manager,
  };
}

/**
 * Makes a widget that does without a kernel: where none answers, its view is opened anew over what
 * was baked into the page, until one does.
 */
export default function bakedWidget<T extends BakedTraits>(widget: Widget<T>): Widget<T> {
  return {
    render(props) {
      const { model } = props;
      const packed = model.get("_baked");
      const timer = makeTimer(realClock);
      let isBaked = false;
      let isOver = !packed?.byteLength;
      let close = widget.render(props);

      const reopen = (from: AnyModel<T>) => {
        close();
        close = widget.render({ ...props, model: from });
      };
      const goStatic = async () => {
        if (!packed) return;
        const memory = await unpack(packed);
        if (isOver) return;
        isBaked = true;
        const read = (start: number, size: number) => new DataView(memory, start, size);
        reopen(bakedModel(model, readAnswers(memory), read));
      };
      const hearKernel = () => {
        timer.stop();
        isOver = true;
        if (isBaked) reopen(model);
        isBaked = false;
      };

      model.on("msg:custom", hearKernel);
      if (!isOver) timer.start(model.get("_static") ? 0 : WAIT_MS, () => void goStatic());
      return () => {
        timer.stop();
        isOver = true;
        model.off("msg:custom", hearKernel);
        close();
      };
    },
  };
}
