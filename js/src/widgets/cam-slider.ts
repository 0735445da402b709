/** The CamSlider in the page: slide class-activation maps through layers and classes. */

import { makeCamDrawing } from "../camdrawing";
import { makeCamOptions } from "../camoptions";
import { makeCamProgress } from "../camprogress";
import { type CamQuery, openCamSource } from "../camsource";
import { CAM_LOOK_TRAITS, type CamLook, type CamModel, findMethod, readLook } from "../camtraits";
import type { Clock } from "../clock";
import { h, setAttributes } from "../dom";
import { makeHeader } from "../header";
import { makeInputPanel } from "../inputpanel";
import { makeInputs } from "../inputs";
import type { Choice } from "../link";
import { makeNetwork, stepOver } from "../network";
import { makeRemarks } from "../remarks";
import { makeSettle } from "../settle";
import { asWidget, openShell } from "../shell";
import { makeShownClasses } from "../shownclasses";
import type { StreamState } from "../stream";
import { watch } from "../surroundings";
import { className, makeTargetPicker, type Prediction, pickPredictions } from "../targetpicker";
import type { LayerEntry } from "../traits";
import type { Failure, Frame } from "../wire";
import { say, told } from "../words";

/** As in cnnviz_widgets/widgets/cam_slider.py. */
const MAX_CLASSES = 6;
/** Opens a view of the model in `el`; what it returns takes everything away again. */
function openView(model: CamModel, el: HTMLElement, clock: Clock): () => void {
  const shell = openShell(model, "cam-slider", clock, (choice) => followChoice(choice));
  const { root, on, writer, notice, followTrait } = shell;
  const inputs = makeInputs(
    (wanted) => source.stream.ask("input", { image: wanted }),
    (frame) => takeInput(frame),
  );
  const methods = told(model.get("_methods"));
  let index = told(model.get("_index"));
  let network = makeNetwork(index);
  let grids = new Set(model.get("_grids"));
  let layer: LayerEntry | null = null;
  let image = model.get("image");
  let method = findMethod(methods, model.get("method"));
  let look = readLook(model);
  let ranked: readonly Prediction[] = [];
  const classes = makeShownClasses(model.get("targets"));
  let state: StreamState = "idle";
  /** Whether what is asked for cannot be shown, which the notice says. */
  let hasFailed = false;

  const isGrid = ({ name }: LayerEntry) => grids.has(name);
  const header = makeHeader(on, (next) => slide(next));
  const input = makeInputPanel(on, (chosen) => setImage(chosen));
  const picker = makeTargetPicker(on, (target) => setTarget(target));
  pickPredictions(on, input.predictions, (target) => setTarget(target));
  const options = makeCamOptions(
    on,
    methods,
    (name) => setMethod(name),
    (change) => {
      writer.write(change);
      setLook({ ...look, ...change });
    },
  );
  const drawing = makeCamDrawing(
    (place) => activate(place),
    (place) => {
      classes.remove(place);
      chooseClasses();
    },
  );
  const progress = makeCamProgress(on, (isWanted) => (isWanted ? askExact() : source.leave()));
  const add = h("button.add", { type: "button", "data-cnnviz-control": "add" }, say("add_class"));
  on(add, "click", () => addClass());
  const remarks = makeRemarks();
  const side = h("div.side", input.picture, input.predictions, remarks.box);
  const main = h("div.main", options.box, h("div.scalebar", drawing.legend, add));
  main.append(progress.box, drawing.box);
  root.append(header.box, picker.box, notice.box, h("div.body", side, main));

  const source = openCamSource(
    shell.cid,
    {
      send: (content) => model.send(content),
      onMaps() {
        draw();
        settle.touch();
      },
      onProgress: (done, total) => progress.show(done, total),
      onFrame: inputs.take,
      onFailure: (failure) => fail(failure),
      onState: (next) => setState(next),
      onEpoch() {
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

  const queryOf = ({ name }: LayerEntry): CamQuery => {
    const asked = { method: method.name, image, layer: name };
    return { ...asked, targets: classes.list(), isSlow: method.progressive };
  };

  /** The reader's slide: over layers without a grid it goes on in the direction it came from. */
  const slide = (next: LayerEntry) => {
    const to = network.placeOf(next);
    const target = stepOver(network.leaves, layer ? network.placeOf(layer) : to, to, isGrid);
    if (!target) return;
    go(target);
    shell.tell({ layer: target.name });
  };

  /** What runs for one layer at a time is of no use any more. */
  const leave = () => {
    if (method.progressive) source.leave();
    hasFailed = false;
    progress.reset();
  };

  /** Goes to a layer; drawn in this very task if its maps are in the page. */
  const go = (next: LayerEntry) => {
    if (next !== layer) leave();
    layer = next;
    header.name(next, network.placeOf(next));
    draw();
    if (classes.list().length > 0) source.want(queryOf(next));
    settle.touch();
  };

  /** Draws what there is of the layer, and says so in the same task if it is all of it. */
  const draw = () => {
    if (!layer) return;
    const maps = source.find(queryOf(layer));
    drawing.draw(maps, look);
    const map = maps[classes.active()];
    if (!map || maps.includes(null)) return;
    const { name, index: place } = layer;
    const target = classes.current() ?? "";
    shell.announce({ layer: name, index: place, target, method: method.name, seq: map.seq, image });
  };

  /** What follows a new picture once it is on the screen. */
  const refresh = () => {
    if (!layer) return;
    if (model.get("layer") !== layer.name) writer.write({ layer: layer.name });
    const maps = source.find(queryOf(layer));
    if (!maps.includes(null)) notice.clear("map");
    const isWhole = maps.every((map) => map?.isFinal);
    progress.rest(method, isWhole);
    const remark = state === "static" ? say("not_in_page") : hasFailed ? "" : say("waits");
    drawing.refresh(
      classes.list().map((target, place) => ({
        name: className(index, target),
        score: source.score(image, target),
        remark: maps[place] || method.progressive ? "" : remark,
      })),
      look,
    );
    const most = Math.min(MAX_CLASSES, index.class_count ?? 0);
    setAttributes(add, { disabled: classes.list().length >= most });
  };

  /** Asks for the exact values of what is shown, once the slider rests. */
  const askExact = () => {
    // What a page has stored is not exact; a method for one layer at a time it may not have at all.
    if (state === "stored" && !method.progressive) return;
    if (layer && classes.list().length > 0 && !progress.isStopped())
      source.wantExact(queryOf(layer));
  };

  const activate = (place: number) => {
    classes.activate(place);
    drawing.setCount(classes.list().length, classes.active());
    const target = classes.current();
    if (target !== undefined) picker.choose(target);
  };

  const showClasses = () => {
    leave();
    activate(classes.active());
    if (layer) go(layer);
  };

  /** Shows the classes that the reader has chosen, and saves them. */
  const chooseClasses = () => {
    writer.write({ targets: classes.list() });
    showClasses();
  };

  /** Shows another class in the panel that is slid. */
  const setTarget = (target: number) => {
    if (target >= (index.class_count ?? 0) || !classes.replace(target)) return;
    chooseClasses();
    shell.tell({ target });
  };

  /** Adds the likeliest class that is not shown yet. */
  const addClass = () => {
    const all = Array.from({ length: index.class_count ?? 0 }, (_, target) => target);
    const next = [...picker.listed(), ...all].find((target) => !classes.list().includes(target));
    if (next === undefined) return;
    classes.add(next);
    chooseClasses();
  };

  const setImage = (chosen: number) => {
    if (chosen === image || chosen >= index.batch) return;
    image = chosen;
    writer.write({ image });
    shell.tell({ image });
    askAll();
  };

  const setMethod = (name: string) => {
    leave();
    method = findMethod(methods, name);
    options.chooseMethod(method);
    writer.write({ method: method.name });
    plan();
    if (layer) go(layer);
  };

  const setLook = (next: CamLook) => {
    look = next;
    options.show(look);
    draw();
    settle.touch();
  };

  /** The classes that the slider goes through, and other methods for those shown, come ahead. */
  const plan = () => {
    source.plan(
      ranked.map((prediction) => prediction.index),
      methods.map(({ name }) => name),
    );
  };

  const takeInput = (frame: Frame) => {
    notice.clear("input");
    input.show(frame);
    const { predictions } = frame.header;
    ranked = (Array.isArray(predictions) ? predictions : []) as readonly Prediction[];
    drawing.setGround(frame.arrays.rgb ?? null);
    remarks.say(frame.header.notices);
    picker.setClasses(index, ranked);
    classes.setTop(ranked[0]?.index);
    plan();
    showClasses();
  };

  const askAll = () => {
    const named = network.find(layer?.name ?? model.get("layer"));
    const next = named && grids.has(named.name) ? named : network.leaves.findLast(isGrid);
    if (!next || index.class_count === null) return;
    layer = next;
    header.name(next, network.placeOf(next));
    input.choose(image, index.batch);
    inputs.want(image);
  };

  /** Takes the network, anew when its inputs or weights have changed. */
  const takeIndex = () => {
    index = told(model.get("_index"));
    grids = new Set(model.get("_grids"));
    network = makeNetwork(index);
    header.setLayers(network.leaves);
    remarks.say(index.notices);
    const { error } = index;
    if (error) notice.say("index", say("failed"), error.message, error.hint);
    else if (index.class_count === null) notice.say("index", say("failed"), say("no_classes"));
    else if (grids.size === 0) notice.say("index", say("failed"), say("no_grids"));
    else notice.clear("index");
    classes.limit(index.class_count ?? 0);
    image = Math.min(image, Math.max(0, index.batch - 1));
    source.adopt(index.epoch);
    askAll();
  };

  const setState = (next: StreamState) => {
    state = next;
    header.setStatus(shell.setState(state));
    if (state === "static") notice.say("static", say("state_static"), say("maps_static_hint"));
    settle.touch();
  };

  const fail = (failure: Pick<Failure, "kind" | "message" | "hint">) => {
    if (failure.kind !== "map" && failure.kind !== "sweep") return shell.fail(failure);
    hasFailed = true;
    shell.fail({ ...failure, kind: "map" }, say("cam_failed", { title: method.title }));
    settle.touch();
  };

  const showLayer = (name: string) => {
    const next = network.find(name);
    if (!next || !isGrid(next) || name === layer?.name) return;
    go(next);
    shell.tell({ layer: name });
  };

  /** Shows what was chosen in another view, as far as this one can. */
  const followChoice = (choice: Choice) => {
    showLayer(choice.layer ?? "");
    setTarget(choice.target ?? classes.current() ?? Infinity);
    setImage(choice.image ?? image);
  };

  shell.follow("msg:custom", source.receive);
  followTrait("_index", takeIndex);
  followTrait("layer", () => showLayer(model.get("layer")));
  followTrait("targets", () => {
    classes.take(model.get("targets"));
    showClasses();
  });
  followTrait("image", () => setImage(model.get("image")));
  followTrait("method", () => setMethod(model.get("method")));
  for (const name of CAM_LOOK_TRAITS) followTrait(name, () => setLook(readLook(model)));

  el.append(root);
  source.stream.start();
  options.show(look);
  options.chooseMethod(method);
  takeIndex();
  watch(root, [], () => {}, source.stream.setVisible, shell.signal);

  return () => {
    shell.end();
    drawing.end();
    settle.close();
    source.close();
  };
}

export default asWidget(openView);
