/** The LayerBrowser in the page: slide through the layers, see every channel of each. */

import type { RenderProps } from "@anywidget/types";
import { isDiverging, palette, type Scale } from "../colormap";
import { type ChannelValues, Detail } from "../detail";
import { element, setAttributes, show } from "../dom";
import { roundOut } from "../format";
import { Header } from "../header";
import { extentOf } from "../histogram";
import { Legend } from "../legend";
import { channelValues, type LayerData, layerExtent, type Maps } from "../maps";
import { Network, readIndex } from "../network";
import { Notice } from "../notice";
import { isScaleMode, Options, type ViewOptions } from "../options";
import { isSortKey } from "../order";
import { Picture } from "../picture";
import { Predictions, readPredictions } from "../predictions";
import { afterPaint, Settle } from "../settle";
import { Source } from "../source";
import { Stage } from "../stage";
import { type FrameKey, Store } from "../store";
import type { Clock, StreamState } from "../stream";
import { watch } from "../surroundings";
import { type BrowserModel, type BrowserTraits, type LayerEntry, TraitWriter } from "../traits";
import { Tree } from "../tree";
import type { Failure, Frame } from "../wire";
import { words } from "../words";

const EXACT_BYTES = 8 << 20;
const INPUT_BYTES = 16 << 20;

const realClock: Clock = {
  now: () => performance.now(),
  setTimeout: (run, delayMs) => setTimeout(run, delayMs),
  clearTimeout: (timer) => clearTimeout(timer as ReturnType<typeof setTimeout>),
};

interface Shown {
  readonly key: FrameKey;
  readonly layer: LayerEntry;
  readonly data: LayerData;
}

class LayerBrowser {
  readonly root = element("div", {
    class: "cnnviz",
    "data-cnnviz-widget": "layer-browser",
    "data-lm-suppress-shortcuts": "true",
  });
  readonly #model: BrowserModel;
  readonly #end = new AbortController();
  readonly #source: Source;
  readonly #writer: TraitWriter;
  readonly #settle: Settle;
  readonly #exact = new Store<ChannelValues>(EXACT_BYTES);
  readonly #inputs = new Store<Frame>(INPUT_BYTES);
  readonly #header: Header;
  readonly #notice = new Notice();
  readonly #picture: Picture;
  readonly #predictions = new Predictions();
  readonly #remarks = element("ul", { class: "cnnviz-remarks" });
  readonly #tree: Tree;
  readonly #detail: Detail;
  readonly #legend = new Legend();
  readonly #options: Options;
  readonly #output: Stage;
  readonly #input: Stage;
  #network: Network;
  #layer: LayerEntry | null = null;
  #image: number;
  #channel: number;
  #view: ViewOptions;
  #shown: Shown | null = null;
  #isPainted = false;
  #state: StreamState = "idle";

  constructor(model: BrowserModel, clock: Clock) {
    const { signal } = this.#end;
    this.#model = model;
    this.#network = new Network(readIndex(model.get("_index")));
    this.#image = model.get("image") ?? 0;
    this.#channel = model.get("channel") ?? 0;
    this.#view = readOptions(model);
    this.#writer = new TraitWriter(model, clock);
    const cid = `${Date.now().toString(36)}-${Math.random().toString(36).slice(2, 10)}`;
    this.#source = new Source(
      cid,
      (content) => model.send(content),
      {
        onLayer: (key, data) => this.#onLayer(key, data),
        onInput: (frame) => this.#onInput(frame),
        onChannel: (frame) => this.#onChannel(frame),
        onFailure: (failure) => this.#onFailure(failure),
        onState: (state) => this.#onState(state),
        onEpoch: () => this.#onEpoch(),
      },
      clock,
      () => devicePixelRatio,
    );
    this.#settle = new Settle(
      clock,
      afterPaint(clock),
      () => this.#refresh(),
      () => this.#askExact(),
    );
    const choose = (layer: LayerEntry) => this.#go(layer);
    this.#header = new Header(signal, choose);
    this.#tree = new Tree(signal, choose);
    this.#picture = new Picture(signal, (image) => this.#setImage(image));
    this.#detail = new Detail(signal, (spot) => this.#picture.mark(spot));
    this.#options = new Options(signal, (change) => this.#change(change));
    const onLayout = (layer: string, layout: string) => this.#source.setLayout(layer, layout);
    this.#output = new Stage(signal, words.outputOf, {
      onChoose: (channel) => this.#setChannel(channel),
      onLayout,
    });
    this.#input = new Stage(signal, words.inputOf, { onChoose: null, onLayout });
    this.#build();
  }

  start(): void {
    const { signal } = this.#end;
    const source = this.#source;
    source.stream.start();
    this.#followModel();
    const events = {
      onResize: () => this.#measure(),
      onRatio: () => this.#setTile(),
      onTheme: () => this.#restyle(),
      onVisible: (visible: boolean) => source.stream.setVisible(visible),
    };
    this.#setTile();
    this.#takeIndex();
    watch(this.root, events, signal);
  }

  close(): void {
    this.#writer.flush();
    this.#end.abort();
    this.#settle.close();
    this.#source.close();
    this.root.remove();
  }

  #build(): void {
    const band = element("div", { class: "cnnviz-band" }, this.#detail.map, this.#detail.box);
    const scale = element("div", { class: "cnnviz-scalebar" }, this.#legend.box, this.#options.box);
    const stages = element("div", { class: "cnnviz-stages" }, this.#input.box, this.#output.box);
    this.root.append(
      this.#header.box,
      this.#notice.box,
      element(
        "div",
        { class: "cnnviz-body" },
        element(
          "div",
          { class: "cnnviz-side" },
          this.#picture.box,
          this.#predictions.box,
          this.#remarks,
          this.#tree.box,
        ),
        element("div", { class: "cnnviz-main" }, band, scale, stages),
      ),
    );
    this.#showOptions();
  }

  /** Follows what Python or another view of the same model sets. */
  #followModel(): void {
    const { signal } = this.#end;
    const model = this.#model;
    const on = (name: keyof BrowserTraits, follow: () => void) => {
      const listener = () => {
        if (!this.#writer.isPending(name)) follow();
      };
      model.on(`change:${name}`, listener);
      signal.addEventListener("abort", () => model.off(`change:${name}`, listener));
    };
    on("_index", () => this.#takeIndex());
    on("layer", () => {
      const name = model.get("layer");
      const layer = this.#network.has(name) ? this.#network.find(name) : null;
      if (layer && layer.name !== this.#layer?.name) this.#go(layer);
    });
    on("channel", () => this.#setChannel(model.get("channel") ?? 0));
    on("image", () => this.#setImage(model.get("image")));
    for (const name of [
      "scale_mode",
      "scale_low",
      "scale_high",
      "colormap",
      "diverging",
      "sort",
      "tile",
      "show_input",
    ] as const) {
      on(name, () => this.#setOptions(readOptions(model)));
    }
    const receive = (content: unknown, buffers: DataView[]) => {
      this.#source.receive(content, buffers);
    };
    model.on("msg:custom", receive);
    signal.addEventListener("abort", () => model.off("msg:custom", receive));
  }

  /** Takes the layers of the network, anew when its inputs or weights have changed. */
  #takeIndex(): void {
    const index = readIndex(this.#model.get("_index"));
    this.#network = new Network(index);
    const { leaves } = this.#network;
    this.#header.setLayers(leaves);
    this.#tree.setLayers(index.layers);
    this.#picture.setBatch(index.batch);
    this.#source.setLayers(leaves);
    this.#sayRemarks(index.notices);
    if (index.error) {
      this.#notice.say("index", words.failed, index.error.message, index.error.hint);
    } else if (index.layers.length === 0) {
      this.#notice.say("index", words.failed, words.noLayers, null);
    } else {
      this.#notice.clear("index");
    }
    this.#image = Math.min(this.#image, Math.max(0, index.batch - 1));
    const before = this.#source.epoch;
    this.#source.adopt(index.epoch);
    // A new epoch asks for everything by itself, but the first one does not.
    if (before === 0 || before === this.#source.epoch) this.#askAll();
  }

  #onEpoch(): void {
    this.#exact.clear();
    this.#inputs.clear();
    this.#askAll();
  }

  #askAll(): void {
    const layer = this.#network.find(this.#layer?.name ?? this.#model.get("layer") ?? "");
    if (!layer) return;
    this.#go(layer);
    this.#showInput();
  }

  #keyOf(layer: LayerEntry, side: FrameKey["side"]): FrameKey {
    const tile = Math.max(1, Math.round(this.#view.tile * devicePixelRatio));
    return { epoch: this.#source.epoch, side, layer: layer.name, image: this.#image, tile };
  }

  /** Goes to a layer; drawn in this very task if it is in the page. */
  #go(layer: LayerEntry): void {
    this.#layer = layer;
    const key = this.#keyOf(layer, "output");
    this.#header.name(layer, this.#network.placeOf(layer));
    const data = this.#source.want(key);
    if (data) this.#paint(key, layer, data);
    if (this.#view.showInput) this.#wantInput(layer);
    if (!data) this.#sayMissing();
    this.#settle.touch();
  }

  #wantInput(layer: LayerEntry): void {
    const data = this.#source.want(this.#keyOf(layer, "input"));
    if (data) this.#paintInput(layer, data);
  }

  #paint(key: FrameKey, layer: LayerEntry, data: LayerData): void {
    this.#shown = { key, layer, data };
    const { scale, colormap, sort } = this.#view;
    this.#isPainted = this.#output.show(data, layer, scale, palette(colormap), sort);
    if (this.#isPainted) this.#announce();
  }

  #paintInput(layer: LayerEntry, data: LayerData): void {
    const { scale, colormap, sort } = this.#view;
    this.#input.show(data, layer, scale, palette(colormap), sort);
  }

  /** Says what is on the screen now, in the task that drew it. */
  #announce(): void {
    const shown = this.#shown;
    if (!shown) return;
    const detail = {
      layer: shown.layer.name,
      index: shown.layer.index,
      seq: shown.data.seq,
      image: shown.key.image,
    };
    const { dataset } = this.root;
    dataset.shownLayer = detail.layer;
    dataset.shownIndex = String(detail.index);
    dataset.shownSeq = String(detail.seq);
    dataset.shownImage = String(detail.image);
    this.root.dispatchEvent(
      new CustomEvent("cnnviz:painted", { bubbles: true, composed: true, detail }),
    );
  }

  #onLayer(key: FrameKey, data: LayerData): void {
    const layer = this.#layer;
    if (!layer || key.layer !== layer.name) return;
    if (key.side === "input") this.#paintInput(layer, data);
    else this.#paint(key, layer, data);
    this.#settle.touch();
  }

  /** What follows a new picture once it is on the screen. */
  #refresh(): void {
    const layer = this.#layer;
    if (layer) {
      this.#tree.choose(layer.name);
      if (this.#model.get("layer") !== layer.name) this.#writer.write("layer", layer.name);
    }
    const shown = this.#shown;
    const isShown = shown !== null && shown.layer.name === layer?.name;
    if (isShown) {
      this.root.removeAttribute("data-stale");
      this.#notice.clear("layer");
    }
    if (!shown) return;
    this.#output.refresh();
    if (this.#view.showInput) this.#input.refresh();
    const { data } = shown;
    setAttributes(this.root, { "data-kind": data.is });
    if (data.is === "maps") this.#refreshMaps(shown, data);
    else if (data.is === "vector") this.#legend.showVector(extentOf(data.values));
  }

  #refreshMaps(shown: Shown, maps: Maps): void {
    const { scale, colormap, sort } = this.#view;
    const channel = this.#channelOf(maps);
    const colours = palette(colormap);
    this.#output.grid.select(channel);
    this.#legend.showMaps(maps, channel, scale, colours);
    const values = this.#exact.get(this.#exactKey(shown, channel)) ?? {
      values: channelValues(maps, channel),
      height: maps.height,
      width: maps.width,
      isExact: false,
    };
    this.#detail.show(shown.layer.name, maps, channel, values, scale, colours, sort);
  }

  /** The chosen channel, or the first one in a layer that has not so many. */
  #channelOf(maps: Maps): number {
    return this.#channel < maps.channels ? this.#channel : 0;
  }

  #exactKey({ key }: Shown, channel: number): string {
    return `${key.epoch}|${key.image}|${channel}|${key.layer}`;
  }

  /** Asks for the exact values of the channel shown, once the slider rests. */
  #askExact(): void {
    const shown = this.#shown;
    if (shown?.data.is !== "maps" || shown.layer.name !== this.#layer?.name) return;
    const channel = this.#channelOf(shown.data);
    if (this.#exact.has(this.#exactKey(shown, channel))) return;
    this.#source.askChannel(shown.key.layer, shown.key.image, channel);
  }

  #onChannel(frame: Frame): void {
    const { layer, image, channel } = frame.params;
    const block = frame.arrays.values;
    const [height, width] = block?.shape ?? [];
    if (!(block?.data instanceof Float32Array) || !height || !width) return;
    const key = `${frame.epoch}|${image}|${channel}|${layer}`;
    const values: ChannelValues = { values: block.data, height, width, isExact: true };
    this.#exact.put(key, values, frame.bytes);
    const shown = this.#shown;
    if (shown?.data.is !== "maps") return;
    if (key === this.#exactKey(shown, this.#channelOf(shown.data))) {
      this.#notice.clear("channel");
      this.#refreshMaps(shown, shown.data);
    }
  }

  #setChannel(channel: number): void {
    if (channel === this.#channel) return;
    this.#channel = channel;
    this.#writer.write("channel", channel);
    this.#settle.touch();
  }

  #setImage(image: number): void {
    if (image === this.#image) return;
    this.#image = image;
    this.#writer.write("image", image);
    if (this.#layer) this.#go(this.#layer);
    this.#showInput();
  }

  /** Shows the picture and what the network says of it. */
  #showInput(): void {
    this.#picture.choose(this.#image);
    const known = this.#inputs.get(`${this.#source.epoch}|${this.#image}`);
    if (known) this.#drawInput(known);
    else this.#source.askInput(this.#image);
  }

  #onInput(frame: Frame): void {
    this.#inputs.put(`${frame.epoch}|${frame.params.image}`, frame, frame.bytes);
    if (frame.params.image === this.#image) this.#drawInput(frame);
  }

  #drawInput(frame: Frame): void {
    const { score_kind: kind, notices } = frame.header;
    this.#notice.clear("input");
    this.#picture.draw(frame.arrays.rgb ?? null);
    this.#predictions.show(readPredictions(frame), typeof kind === "string" ? kind : "");
    if (Array.isArray(notices)) this.#sayRemarks(notices.map(String));
  }

  #sayRemarks(remarks: readonly string[]): void {
    this.#remarks.replaceChildren(...remarks.map((remark) => element("li", {}, remark)));
    show(this.#remarks, remarks.length > 0);
  }

  /** Takes a change of the reader's. */
  #change(change: Partial<ViewOptions>): void {
    const view = { ...this.#view, ...change };
    const wasFixed = this.#view.scale.mode === "fixed";
    const data = this.#shown?.data;
    if (view.scale.mode === "fixed" && !wasFixed && data?.is === "maps") {
      view.scale = fixedScale(view.scale, data);
    }
    const { scale } = view;
    this.#writer.write("scale_mode", scale.mode);
    this.#writer.write("scale_low", scale.low);
    this.#writer.write("scale_high", scale.high);
    this.#writer.write("diverging", scale.diverging);
    this.#writer.write("colormap", view.colormap);
    this.#writer.write("sort", view.sort);
    this.#writer.write("tile", view.tile);
    this.#writer.write("show_input", view.showInput);
    this.#setOptions(view);
  }

  #setOptions(view: ViewOptions): void {
    const before = this.#view;
    this.#view = view;
    this.#showOptions();
    if (view.tile !== before.tile) this.#setTile();
    if (this.#layer) this.#go(this.#layer);
  }

  #showOptions(): void {
    const { showInput } = this.#view;
    this.#options.show(this.#view);
    show(this.#input.box, showInput);
    this.#input.setTitled(showInput);
    this.#output.setTitled(showInput);
    if (!showInput) this.#source.unwant("input");
  }

  /** Sets the size of the tiles, in the pixels that the screen has now. */
  #setTile(): void {
    for (const stage of [this.#output, this.#input]) {
      stage.grid.setTile(this.#view.tile, devicePixelRatio);
    }
    if (this.#layer) this.#go(this.#layer);
  }

  #measure(): void {
    this.#output.measure();
    this.#input.measure();
    if (this.#shown && !this.#isPainted && this.#output.grid.isDrawn) {
      this.#isPainted = true;
      this.#announce();
    }
  }

  #restyle(): void {
    this.#output.grid.restyle();
    this.#input.grid.restyle();
  }

  #onState(state: StreamState): void {
    this.#state = state;
    const isBusy = state === "busy" || state === "waiting";
    setAttributes(this.root, { "aria-busy": isBusy ? "true" : null, "data-state": state });
    const text = { idle: "", asking: "", busy: words.busy, waiting: words.waiting, static: "" };
    this.#header.setStatus(text[state]);
    if (state === "static") this.#sayMissing();
    else if (state === "idle") this.#notice.clear("static");
  }

  /** Without a kernel a layer that is not in the page stays away; that is said, not waited for. */
  #sayMissing(): void {
    const layer = this.#layer;
    if (this.#state !== "static" || !layer) return;
    const isHere = this.#shown?.layer.name === layer.name;
    const message = isHere ? words.static : words.missing(layer.name);
    this.#notice.say("static", words.noKernel, message, null);
    setAttributes(this.root, { "data-stale": !isHere && this.#shown !== null });
  }

  #onFailure({ kind, message, hint }: Pick<Failure, "kind" | "message" | "hint">): void {
    if (kind === "") {
      this.#notice.say("message", words.badMessage, message, hint ?? words.badMessageHint);
      return;
    }
    const isLayer = kind === "layer" || kind === "layout";
    const title = isLayer ? words.failedLayer(this.#layer?.name ?? "") : words.failed;
    this.#notice.say(kind === "layout" ? "layer" : kind, title, message, hint);
    if (isLayer) setAttributes(this.root, { "data-stale": true });
  }
}

function readOptions(model: BrowserModel): ViewOptions {
  const mode = model.get("scale_mode");
  const sort = model.get("sort");
  const colormap = model.get("colormap") || "viridis";
  const diverging = model.get("diverging") ?? isDiverging(colormap);
  const scale: Scale = {
    mode: isScaleMode(mode) ? mode : "channel",
    low: model.get("scale_low") ?? 0,
    high: model.get("scale_high") ?? 1,
    diverging,
  };
  return {
    scale,
    colormap,
    sort: isSortKey(sort) ? sort : "index",
    tile: model.get("tile") || 64,
    showInput: model.get("show_input") ?? false,
  };
}

/** A fixed scale begins as the present layer's, unless the reader has already chosen one. */
function fixedScale(scale: Scale, maps: Maps): Scale {
  const isChosen = scale.low !== 0 || scale.high !== 1;
  return isChosen ? scale : { ...scale, ...roundOut(layerExtent(maps)) };
}

/** Draws a view of the model into `el`; what it returns takes everything away again. */
function render({ model, el }: RenderProps<BrowserTraits>): () => void {
  const view = new LayerBrowser(model, realClock);
  el.append(view.root);
  view.start();
  return () => view.close();
}

export default { render };
