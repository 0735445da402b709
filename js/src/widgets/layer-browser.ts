/** The LayerBrowser in the page: slide through the layers, see every channel of each. */

import { makeChannelPanel } from "../channelpanel";
import type { Clock } from "../clock";
import { modeOf } from "../colormap";
import { h, setAttributes, show } from "../dom";
import { roundOut } from "../format";
import type { Look } from "../gridcanvas";
import { makeHeader } from "../header";
import { makeInputPanel } from "../inputpanel";
import { makeInputs } from "../inputs";
import { type BrowserModel, VIEW_TRAITS, type View } from "../layertraits";
import type { Choice } from "../link";
import { type LayerData, layerExtent, readLayer } from "../maps";
import { makeNetwork } from "../network";
import { makeOptions } from "../options";
import { palette } from "../palettes";
import { makeRemarks } from "../remarks";
import { makeSettle } from "../settle";
import { asWidget, openShell } from "../shell";
import { openSource } from "../source";
import { makeStage } from "../stage";
import type { FrameKey } from "../store";
import type { StreamState } from "../stream";
import { watch } from "../surroundings";
import type { LayerEntry } from "../traits";
import { makeTree } from "../tree";
import type { Failure, Frame } from "../wire";
import { say, told } from "../words";

/** What is on the screen. */
type Shown = { readonly key: FrameKey; readonly layer: LayerEntry; readonly data: LayerData };

/** Opens a view of the model in `el`; what it returns takes everything away again. */
function openView(model: BrowserModel, el: HTMLElement, clock: Clock): () => void {
  const shell = openShell(model, "layer-browser", clock, (choice) => followChoice(choice));
  const { root, on, writer, notice, followTrait } = shell;
  const inputs = makeInputs(
    (wanted) => source.stream.ask("input", { image: wanted }),
    (frame) => drawInput(frame),
  );
  let index = told(model.get("_index"));
  let network = makeNetwork(index);
  let layer: LayerEntry | null = null;
  let image = model.get("image");
  let channel = model.get("channel");
  let view = readView(model);
  let shown: Shown | null = null;
  let isPainted = false;
  /** Whether what was asked for last has failed; the picture on the screen is an older one then. */
  let hasFailed = false;
  let state: StreamState = "idle";
  /** Whether the hand chose a layer here that the trait does not say yet. */
  let isAhead = false;

  const choose = (next: LayerEntry) => {
    go(next);
    shell.tell({ layer: next.name });
  };
  const slide = (next: LayerEntry) => {
    isAhead = true;
    choose(next);
  };
  const header = makeHeader(on, slide);
  const tree = makeTree(on, slide);
  const remarks = makeRemarks();
  const input = makeInputPanel(on, (chosen) => setImage(chosen));
  const panel = makeChannelPanel(on, input.mark);
  const options = makeOptions(on, (change) => changeView(change));
  const onLayout = (name: string, layout: string) =>
    source.stream.ask("layout", { layer: name, layout });
  const inputStage = makeStage(on, say("input_of"), null, onLayout);
  const stage = makeStage(on, say("output_of"), (chosen) => setChannel(chosen), onLayout);
  const stages = h("div.stages", inputStage.box, stage.box);
  const side = h("div.side", input.predictions, remarks.box, tree.box);
  const band = h("div.band", panel.map, panel.numbers);
  const main = h("div.main", band, h("div.scalebar", panel.legend, options.box), stages);
  root.append(header.box, notice.box, h("div.body", input.picture, main, side));

  const source = openSource(
    shell.cid,
    {
      send: (content) => model.send(content),
      read: readLayer,
      onLayer(key, data) {
        const entry = network.find(key.layer);
        if (entry) paint(key, entry, data);
        settle.touch();
      },
      onFrame(frame) {
        notice.clear(frame.kind);
        if (frame.kind === "channel") {
          panel.keep(frame);
          refreshChannel();
        } else if (frame.kind === "input") inputs.take(frame);
      },
      onFailure: (failure) => fail(failure),
      onState: (next) => setState(next),
      onEpoch() {
        panel.forget();
        inputs.clear();
        askAll();
      },
    },
    clock,
    () => devicePixelRatio,
  );
  const settle = makeSettle(
    clock,
    () => refresh(),
    () => askExact(),
  );

  const keyOf = ({ name }: LayerEntry, side: FrameKey["side"]): FrameKey => {
    const tile = Math.round(view.tile * devicePixelRatio);
    return { epoch: source.epoch(), side, layer: name, image, tile };
  };

  /** Goes to a layer; drawn in this very task if it is in the page. */
  const go = (next: LayerEntry) => {
    layer = next;
    header.name(next, network.placeOf(next));
    for (const part of ["output", "input"] as const) {
      if (part === "input" && !view.show_input) continue;
      const key = keyOf(next, part);
      const data = source.want(key);
      if (data) paint(key, next, data);
    }
    sayMissing();
    settle.touch();
  };

  const paint = (key: FrameKey, next: LayerEntry, data: LayerData) => {
    const target = key.side === "output" ? stage : inputStage;
    const isDrawn = target.show(data, next, lookOf(view, data));
    if (key.side === "input") return;
    shown = { key, layer: next, data };
    isPainted = isDrawn;
    hasFailed = false;
    const { name, index: place } = next;
    if (isDrawn) shell.announce({ layer: name, index: place, seq: data.seq, image: key.image });
  };

  /** Channel of the layer shown: the chosen one, or the first where there are not so many. */
  const channelOf = ({ data }: Shown): number =>
    data.is === "maps" && channel < data.channels ? channel : 0;

  const refreshChannel = () => {
    if (!shown) return;
    panel.show(shown.key, shown.data, channelOf(shown), lookOf(view, shown.data));
  };

  /** Whether what is on the screen is what was asked for. */
  const isHere = () => shown?.layer.name === layer?.name && shown?.key.image === image;

  const markStale = (isStale: boolean) => setAttributes(root, { "data-stale": isStale });

  /** What follows a new picture once it is on the screen. */
  const refresh = () => {
    if (layer) {
      tree.choose(layer.name);
      if (model.get("layer") !== layer.name) writer.write({ layer: layer.name });
      isAhead = false;
    }
    if (!shown) return;
    if (isHere() && !hasFailed) {
      markStale(false);
      notice.clear("layer");
    }
    root.dataset.kind = shown.data.is;
    stage.refresh(channelOf(shown));
    inputStage.refresh(-1);
    refreshChannel();
  };

  /** Asks for the exact values of the channel shown, once the slider rests. */
  const askExact = () => {
    if (state === "stored" || shown?.data.is !== "maps" || shown.layer.name !== layer?.name) return;
    const asked = channelOf(shown);
    if (panel.hasExact(shown.key, asked)) return;
    source.stream.ask("channel", { layer: layer.name, image: shown.key.image, channel: asked });
  };

  const setChannel = (chosen: number) => {
    if (chosen === channel) return;
    channel = chosen;
    writer.write({ channel });
    shell.tell({ channel });
    settle.touch();
  };

  const setImage = (chosen: number) => {
    if (chosen === image || chosen >= index.batch) return;
    image = chosen;
    writer.write({ image });
    shell.tell({ image });
    if (layer) go(layer);
    showInput();
  };

  const showInput = () => {
    input.choose(image, index.batch);
    inputs.want(image);
  };

  const drawInput = (frame: Frame) => {
    input.show(frame);
    remarks.say(frame.header.notices);
  };

  const askAll = () => {
    const next = network.find(layer?.name ?? model.get("layer")) ?? network.leaves[0];
    if (next) go(next);
    if (next) showInput();
  };

  /** Takes the layers of the network, anew when its inputs or weights have changed. */
  const takeIndex = () => {
    index = told(model.get("_index"));
    network = makeNetwork(index);
    header.setLayers(network.leaves);
    tree.setLayers(index.layers);
    source.setLayers(network.leaves);
    remarks.say(index.notices);
    const { error } = index;
    if (error) notice.say("index", say("failed"), error.message, error.hint);
    else if (index.layers.length === 0) notice.say("index", say("failed"), say("no_layers"));
    else notice.clear("index");
    image = Math.min(image, Math.max(0, index.batch - 1));
    source.adopt(index.epoch);
    askAll();
  };

  /** Takes a change of the reader's. */
  const changeView = (change: Partial<View>) => {
    const next = { ...view, ...change };
    const data = shown?.data;
    const becomesFixed = next.scale_mode === "fixed" && view.scale_mode !== "fixed";
    const isChosen = next.scale_low !== 0 || next.scale_high !== 1;
    // A fixed scale begins as the present layer's, unless the reader has already chosen one.
    if (becomesFixed && !isChosen && data?.is === "maps") {
      const { low, high } = roundOut(layerExtent(data));
      Object.assign(next, { scale_low: low, scale_high: high });
    }
    writer.write(next);
    setView(next);
  };

  const setView = (next: View) => {
    view = next;
    options.show(view);
    show(inputStage.box, view.show_input);
    measure();
    if (layer) go(layer);
  };

  const measure = () => {
    for (const each of [stage, inputStage]) each.measure(view.tile, devicePixelRatio);
    if (!shown || !layer) return;
    if (keyOf(layer, "output").tile !== shown.key.tile) go(layer);
    else if (!isPainted) paint(shown.key, shown.layer, shown.data);
  };

  const setState = (next: StreamState) => {
    state = next;
    header.setStatus(shell.setState(state));
    sayMissing();
  };

  /** What is not here shows as that; without a kernel that is said, not waited for. */
  const sayMissing = () => {
    const isStatic = state === "static";
    if (!layer || !(isStatic || state === "waiting")) return;
    const { name } = layer;
    markStale(!isHere());
    const isNamed = shown?.layer.name === name;
    const title = isNamed ? say("state_static") : say("layer_missing", { layer: name });
    if (isStatic) notice.say("static", title, say("layers_static_hint"));
  };

  const fail = (failure: Pick<Failure, "kind" | "message" | "hint">) => {
    const isLayer = failure.kind === "layer" || failure.kind === "layout";
    if (!isLayer) return shell.fail(failure);
    hasFailed = true;
    markStale(true);
    shell.fail({ ...failure, kind: "layer" }, say("layer_failed", { layer: layer?.name ?? "" }));
  };

  /** Shows what was chosen in another view, as far as this one can. */
  const followChoice = (choice: Choice) => {
    const next = network.find(choice.layer ?? "");
    if (next && next.name !== layer?.name) go(next);
    setChannel(choice.channel ?? channel);
    setImage(choice.image ?? image);
  };

  shell.follow("msg:custom", source.receive);
  followTrait("_index", takeIndex);
  followTrait("layer", () => {
    const next = network.find(model.get("layer"));
    if (!isAhead && next && next.name !== layer?.name) choose(next);
  });
  followTrait("channel", () => setChannel(model.get("channel")));
  followTrait("image", () => setImage(model.get("image")));
  for (const name of VIEW_TRAITS) followTrait(name, () => setView(readView(model)));

  el.append(root);
  source.stream.start();
  takeIndex();
  setView(view);
  const parts = root.querySelectorAll(".cnnviz-stage");
  watch(root, parts, measure, source.stream.setVisible, shell.signal);

  return () => {
    shell.end();
    settle.close();
    source.close();
  };
}

function lookOf(view: View, data: LayerData): Look {
  const { scale_mode, scale_low: low, scale_high: high, diverging, colormap, sort } = view;
  const mode = data.is === "maps" ? modeOf(data, scale_mode) : scale_mode;
  return { scale: { mode, low, high, diverging }, colours: palette(colormap), sort };
}

function readView(model: BrowserModel): View {
  return Object.fromEntries(VIEW_TRAITS.map((name) => [name, model.get(name)])) as unknown as View;
}

export default asWidget(openView);
