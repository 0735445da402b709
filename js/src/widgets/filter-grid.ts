/** The FilterGrid in the page: the weights of each layer, and what the chosen filter answers. */

import type { AnyModel } from "@anywidget/types";
import type { Clock } from "../clock";
import { h, setAttributes } from "../dom";
import { makeFilterAnswer } from "../filteranswer";
import { makeFilterCache } from "../filtercache";
import { makeFilterLegend } from "../filterlegend";
import { FILTER_VIEW_TRAITS, type FilterView, makeFilterOptions } from "../filteroptions";
import { makeFilterPanel } from "../filterpanel";
import { type Bank, estimateBank, type FilterEntry, type FilterTraits, readBank } from "../filters";
import { makeFilterStage, makeKernelStage } from "../filterstage";
import { FILTER_PALETTES, type FilterLook } from "../filtertiles";
import { makeHeader } from "../header";
import { makeInputPicture } from "../inputpicture";
import type { Choice } from "../link";
import { makeNetwork } from "../network";
import { makeRemarks } from "../remarks";
import { makeSettle } from "../settle";
import { asWidget, openShell } from "../shell";
import { openSource } from "../source";
import type { FrameKey } from "../store";
import type { StreamState } from "../stream";
import { watch } from "../surroundings";
import { makeTree } from "../tree";
import type { Failure, Frame } from "../wire";
import { say, told } from "../words";

/** A matrix is asked for at a width in these steps, so that small changes of size ask nothing. */
const WIDTH_STEP_PX = 32;

/** What is on the screen. */
type Shown = { readonly key: FrameKey; readonly entry: FilterEntry; readonly bank: Bank };

/** Opens a view of the model in `el`; what it returns takes everything away again. */
function openView(model: AnyModel<FilterTraits>, el: HTMLElement, clock: Clock): () => void {
  const shell = openShell(model, "filter-grid", clock, (choice) => followChoice(choice));
  const { root, on, writer, notice, followTrait } = shell;
  const cache = makeFilterCache((...asked) => source.stream.ask(...asked));
  let index = told(model.get("_index"));
  let network = makeNetwork<FilterEntry>(index);
  let entry: FilterEntry | null = null;
  let filter = model.get("filter");
  let image = model.get("image");
  let input = -1;
  let view = readView(model);
  let widthPx = 0;
  let shown: Shown | null = null;
  let isPainted = false;
  /** Whether what was asked for last has failed; the picture on the screen is an older one then. */
  let hasFailed = false;
  let state: StreamState = "idle";

  const choose = ({ name }: Pick<FilterEntry, "name">) => {
    const next = network.find(name);
    if (!next) return;
    go(next);
    shell.tell({ layer: next.answers ?? name });
  };
  const header = makeHeader(on, choose);
  const tree = makeTree(on, choose);
  const remarks = makeRemarks();
  const picture = makeInputPicture(on, (chosen) => setImage(chosen));
  const answer = makeFilterAnswer(on, picture.mark);
  const noInputs = h("p.quiet", say("no_inputs"));
  const panel = makeFilterPanel(on);
  const legend = makeFilterLegend();
  const options = makeFilterOptions(on, (change) => changeView(change));
  const stage = makeFilterStage(
    on,
    (chosen) => setFilter(chosen),
    (pointed) => shown && weightsAt(shown.entry, pointed),
  );
  const kernels = makeKernelStage(on, (chosen) => setInput(chosen));
  const side = h("div.side", remarks.box, tree.box);
  const band = h("div.band", panel.large, answer.box, panel.numbers);
  const stages = h("div.stages", stage.box, kernels.box);
  const main = h("div.main", band, h("div.scalebar", legend.box, options.box), stages);
  root.append(header.box, notice.box, h("div.body", picture.box, noInputs, main, side));

  const source = openSource<Bank>(
    shell.cid,
    {
      send: (content) => model.send(content),
      read: readBank,
      estimate: (layer, width) => estimateBank(layer as FilterEntry, width),
      onLayer(key, bank) {
        const found = network.find(key.layer);
        if (found) paint(key, found, bank);
        settle.touch();
      },
      onFrame: (frame) => takeFrame(frame),
      onFailure: (failure) => fail(failure),
      onState: (next) => setState(next),
      onEpoch() {
        cache.clear();
        askAll();
      },
    },
    clock,
    () => devicePixelRatio,
  );
  const settle = makeSettle(
    clock,
    () => refresh(),
    () => askDetails(),
  );

  /** The weights of a filter that the reader points at; asked for if they are not here. */
  const weightsAt = (layer: FilterEntry, pointed: number): Float32Array | null => {
    cache.ask("filter", { layer: layer.name, filter: pointed }, "row");
    return cache.weights(layer, pointed);
  };

  const lookOf = (): FilterLook => ({
    scale: view.scale_mode,
    sort: view.sort,
    bounds: index.bounds,
    tile: Math.round(view.tile * devicePixelRatio),
    ...FILTER_PALETTES,
  });

  /** Goes to a layer; drawn in this very task if it is in the page. */
  const go = (next: FilterEntry) => {
    if (entry?.name !== next.name) input = -1;
    entry = next;
    header.name(next, network.placeOf(next));
    settle.touch();
    if (!widthPx) return;
    const sides = { side: "output", image: 0, tile: widthPx } as const;
    const key = { epoch: source.epoch(), layer: next.name, ...sides };
    const bank = source.want(key);
    if (bank) paint(key, next, bank);
    sayMissing();
  };

  const paint = (key: FrameKey, next: FilterEntry, bank: Bank) => {
    shown = { key, entry: next, bank: cache.complete(next, bank) };
    isPainted = stage.show(shown.bank, next, lookOf());
    hasFailed = false;
    if (!isPainted) return;
    shell.announce({ layer: next.name, index: next.index, seq: bank.seq, filter: filterOf(shown) });
  };

  /** The chosen filter, or the first where a layer has not so many. */
  const filterOf = ({ bank }: Shown): number => (filter < bank.filters ? filter : 0);

  const markStale = (isStale: boolean) => setAttributes(root, { "data-stale": isStale });

  /** What follows a new picture once it is on the screen. */
  const refresh = () => {
    if (entry) {
      tree.choose(entry.name);
      if (model.get("layer") !== entry.name) writer.write({ layer: entry.name });
    }
    if (!shown) return;
    if (shown.entry.name === entry?.name && !hasFailed) {
      markStale(false);
      notice.clear("layer");
    }
    const chosen = filterOf(shown);
    legend.show(shown.bank, chosen, lookOf());
    refreshFilter();
  };

  /** Shows the chosen filter with what is known of it by now. */
  const refreshFilter = () => {
    if (!shown) return;
    const { bank, entry: layer } = shown;
    const chosen = filterOf(shown);
    const values = cache.weights(layer, chosen);
    stage.refresh(chosen);
    const large = panel.show(bank, layer, chosen, values, lookOf(), input);
    kernels.show(bank, layer, chosen, values, lookOf());
    kernels.refresh(large);
    if (index.batch === 0) return;
    const { answers } = layer;
    const found = answers && cache.known("answer", { layer: answers, image, filter: chosen });
    answer.show(chosen, found || null);
    if (answers === null) answer.say(say("no_answer"));
  };

  /** Asks for what is not in the page of the filter shown, once the slider rests. */
  const askDetails = () => {
    if (!shown || shown.entry.name !== entry?.name) return;
    const { name, answers } = shown.entry;
    const chosen = filterOf(shown);
    cache.ask("filter", { layer: name, filter: chosen });
    if (index.batch > 0 && answers !== null) {
      cache.ask("answer", { layer: answers, image, filter: chosen });
    }
    if (!shown.bank.likeness) cache.ask("likeness", { layer: name });
  };

  const takeFrame = (frame: Frame) => {
    const { kind, params } = frame;
    notice.clear(kind);
    cache.keep(frame);
    if (kind === "input" && params.image === image) drawInput(frame);
    else if (kind === "likeness" && shown && shown.entry.name === params.layer) {
      paint(shown.key, shown.entry, shown.bank);
      refresh();
    } else refreshFilter();
  };

  const setFilter = (chosen: number) => {
    if (chosen === filter) return;
    filter = chosen;
    input = -1;
    writer.write({ filter });
    shell.tell({ channel: filter });
    if (shown) root.setAttribute("data-shown-filter", `${filterOf(shown)}`);
    settle.touch();
  };

  const setInput = (chosen: number) => {
    input = chosen;
    refreshFilter();
  };

  const setImage = (chosen: number) => {
    if (chosen === image || chosen >= index.batch) return;
    image = chosen;
    writer.write({ image });
    shell.tell({ image });
    showInput();
    settle.touch();
  };

  const showInput = () => {
    if (index.batch === 0) return;
    picture.choose(image, index.batch);
    const found = cache.known("input", { image });
    if (found) drawInput(found);
    else source.stream.ask("input", { image });
  };

  const drawInput = (frame: Frame) => {
    picture.show(frame);
    remarks.say(frame.header.notices);
  };

  const askAll = () => {
    const next = network.find(entry?.name ?? model.get("layer")) ?? network.leaves[0];
    if (next) go(next);
    if (next) showInput();
  };

  /** Takes the layers of the network, anew when its inputs or weights have changed. */
  const takeIndex = () => {
    index = told(model.get("_index"));
    network = makeNetwork<FilterEntry>(index);
    header.setLayers(network.leaves);
    tree.setLayers(network.leaves);
    source.setLayers(network.leaves);
    remarks.say(index.notices);
    setAttributes(root, { "data-no-inputs": index.batch === 0 });
    image = Math.min(image, Math.max(0, index.batch - 1));
    source.adopt(index.epoch);
    askAll();
  };

  const changeView = (change: Partial<FilterView>) => {
    writer.write(change);
    setView({ ...view, ...change });
  };

  const setView = (next: FilterView) => {
    view = next;
    options.show(view);
    measure();
    if (shown) paint(shown.key, shown.entry, shown.bank);
    settle.touch();
  };

  /** Reads the space there is. */
  const measure = () => {
    for (const each of [stage, kernels]) each.measure(view.tile, devicePixelRatio);
    const room = Math.floor((stage.room() * devicePixelRatio) / WIDTH_STEP_PX);
    const isWider = room > 0 && room * WIDTH_STEP_PX !== widthPx;
    if (isWider) widthPx = (room || 1) * WIDTH_STEP_PX;
    if (isWider && entry) go(entry);
    else if (shown && !isPainted) paint(shown.key, shown.entry, shown.bank);
  };

  const setState = (next: StreamState) => {
    state = next;
    header.setStatus(shell.setState(state));
    sayMissing();
  };

  /** What is not here shows as that; without a kernel that is said, not waited for. */
  const sayMissing = () => {
    const isStatic = state === "static";
    if (!entry || !(isStatic || state === "waiting")) return;
    const { name } = entry;
    const isHere = shown?.entry.name === name;
    markStale(!isHere);
    const title = isHere ? say("state_static") : say("layer_missing", { layer: name });
    if (isStatic) notice.say("static", title, say("layers_static_hint"));
  };

  const fail = (failure: Pick<Failure, "kind" | "message" | "hint">) => {
    if (failure.kind === "answer") return answer.say(failure.message);
    if (failure.kind !== "layer") return shell.fail(failure);
    hasFailed = true;
    markStale(true);
    shell.fail(failure, say("layer_failed", { layer: entry?.name ?? "" }));
  };

  /** Shows what was chosen in another view, as far as this one can. */
  const followChoice = (choice: Choice) => {
    const [path = ""] = (choice.layer ?? "").split("#");
    const next = network.leaves.find((leaf) => leaf.path === path) ?? null;
    if (path && next && next.path !== entry?.path) go(next);
    setFilter(choice.channel ?? filter);
    setImage(choice.image ?? image);
  };

  shell.follow("msg:custom", source.receive);
  followTrait("_index", takeIndex);
  followTrait("layer", () => {
    const next = network.find(model.get("layer"));
    if (next && next.name !== entry?.name) choose(next);
  });
  followTrait("filter", () => setFilter(model.get("filter")));
  followTrait("image", () => setImage(model.get("image")));
  for (const name of FILTER_VIEW_TRAITS) followTrait(name, () => setView(readView(model)));

  el.append(root);
  source.stream.start();
  setView(view);
  takeIndex();
  const parts = root.querySelectorAll(".cnnviz-stage");
  watch(root, parts, measure, source.stream.setVisible, shell.signal);

  return () => {
    shell.end();
    settle.close();
    source.close();
  };
}

function readView(model: AnyModel<FilterTraits>): FilterView {
  const read = FILTER_VIEW_TRAITS.map((name) => [name, model.get(name)]);
  return Object.fromEntries(read) as unknown as FilterView;
}

export default asWidget(openView);
