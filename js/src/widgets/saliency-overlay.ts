/** The SaliencyOverlay in the page: what a class score depends on, by several methods side by side. */

import type { Clock } from "../clock";
import { h, setText, show } from "../dom";
import { formatProbability } from "../format";
import { makeInputPanel } from "../inputpanel";
import { makeInputs } from "../inputs";
import type { Choice } from "../link";
import { makeRemarks } from "../remarks";
import type { Answer } from "../saliencymap";
import { makeSaliencyOptions } from "../saliencyoptions";
import { makePanelList, type PanelEntry } from "../saliencypanels";
import { openSaliencySource } from "../saliencysource";
import {
  LOOK_TRAITS,
  type PanelState,
  type SaliencyLook,
  type SaliencyModel,
} from "../saliencytraits";
import { asWidget, openShell } from "../shell";
import type { StreamState } from "../stream";
import { watch } from "../surroundings";
import {
  className,
  makeTargetPicker,
  type Prediction,
  pickPredictions,
  rankText,
} from "../targetpicker";
import type { Block, Frame } from "../wire";
import { say, told } from "../words";

/** Opens a view of the model in `el`; what it returns takes everything away again. */
function openView(model: SaliencyModel, el: HTMLElement, clock: Clock): () => void {
  const shell = openShell(model, "saliency-overlay", clock, (choice) => followChoice(choice));
  const { root, on, writer, notice } = shell;
  const inputs = makeInputs(
    (wanted) => source.stream.ask("input", { image: wanted }),
    (frame) => drawInput(frame),
  );
  let index = told(model.get("_index"));
  let methods = told(model.get("_methods"));
  let target = model.get("target");
  let image = model.get("image");
  let layer = model.get("layer");
  let look = readLook(model);
  let picture: Block | null = null;
  let ranked: readonly Prediction[] = [];
  let state: StreamState = "idle";
  let turns = 0;

  const remarks = makeRemarks();
  const input = makeInputPanel(on, (chosen) => setImage(chosen));
  const options = makeSaliencyOptions(
    on,
    (change) => changeLook(change),
    (chosen) => setLayer(chosen),
  );
  const panels = makePanelList(on, () => methods, {
    onAsk: (asked) => askEach(asked),
    onCancel: ({ slot }) => source.cancel(slot),
    onChange(list) {
      writer.write({ panels: list });
      offer();
    },
  });
  const picker = makeTargetPicker(on, (chosen) => setTarget(chosen));
  pickPredictions(on, input.predictions, (chosen) => setTarget(chosen));
  const [name, rank, share, status] = [new Text(), new Text(), new Text(), new Text()] as const;
  const facts = h(
    "div.facts",
    h("strong", name),
    h("span", rank),
    h("span", share),
    h("span.status", { role: "status" }, status),
  );
  const header = h("header", { role: "none" }, picker.box, facts);
  const side = h("div.side", input.picture, input.predictions, remarks.box);
  const main = h("div.main", options.box, panels.box);
  root.append(header, notice.box, h("div.body", side, main));

  const source = openSaliencySource(
    shell.cid,
    {
      send: (content) => model.send(content),
      onAnswer(slot, answer) {
        const entry = panels.entries().find((candidate) => candidate.slot === slot);
        if (entry) take(entry, answer);
      },
      onFrame(frame) {
        if (frame.kind === "input") inputs.take(frame);
      },
      onFailure(slot, failure) {
        const entry = panels.entries().find((candidate) => candidate.slot === slot);
        if (!entry) return shell.fail(failure);
        entry.panel.fail(failure);
        draw(entry);
      },
      onState: (next) => setState(next),
      onEpoch() {
        inputs.clear();
        picture = null;
        for (const entry of panels.entries()) entry.asked = null;
        askAll();
      },
    },
    clock,
    () => devicePixelRatio,
  );

  const take = (entry: PanelEntry, answer: Answer) => {
    entry.seq = answer.seq;
    entry.panel.take(answer);
    draw(entry);
    sayStatus();
  };

  /** Draws a map, and says so in the same task. */
  const draw = (entry: PanelEntry) => {
    const { panel, method, seq, slot } = entry;
    if (!panel.draw(picture, look)) return;
    const shown = panel.facts()?.target ?? target ?? "";
    shell.announce({ method: method.name, target: shown, seq, image, panel: slot });
  };

  const drawAll = () => {
    for (const entry of panels.entries()) draw(entry);
  };

  /** Asks for the map of a panel; one that is in the page is drawn at once. */
  const ask = (entry: PanelEntry) => {
    const { slot, panel, method, parameters, asked } = entry;
    const at = method.at_layer ? layer : null;
    const question = { method: method.name, parameters, target, image, layer: at };
    panel.ask(asked?.image === image);
    turns += 1;
    Object.assign(entry, { asked: question, turn: turns });
    const known = source.want(slot, question);
    if (known) take(entry, known);
    else sayWaiting();
  };

  /** The picture first, then the quick methods, then those that take their time. */
  const askAll = () => {
    for (const { slot } of panels.entries()) source.cancel(slot);
    showInput();
    askEach(panels.entries());
  };

  const askEach = (asked: readonly PanelEntry[]) => {
    const slow = ({ method }: PanelEntry) => Number(method.progressive);
    for (const entry of [...asked].sort((a, b) => slow(a) - slow(b))) ask(entry);
  };

  const showInput = () => {
    input.choose(image, index.batch);
    inputs.want(image);
  };

  const drawInput = (frame: Frame) => {
    notice.clear("input");
    picture = frame.arrays.rgb ?? null;
    input.show(frame);
    remarks.say(frame.header.notices);
    ranked = (frame.header.predictions ?? []) as readonly Prediction[];
    picker.setClasses(index, ranked);
    sayTarget();
    drawAll();
  };

  /** Names the class that is explained; without a choice it is the top prediction. */
  const sayTarget = () => {
    const chosen = target ?? ranked[0]?.index;
    show(header, chosen !== undefined);
    if (chosen === undefined) return;
    picker.choose(chosen);
    const place = ranked.findIndex((prediction) => prediction.index === chosen);
    const probability = ranked[place]?.probability ?? null;
    setText(name, className(index, chosen));
    setText(rank, rankText(place + 1, ranked.length));
    setText(share, probability === null ? "" : formatProbability(probability));
  };

  const setTarget = (chosen: number | null) => {
    if (chosen === target) return;
    target = chosen;
    writer.write({ target });
    if (chosen !== null) shell.tell({ target: chosen });
    sayTarget();
    askAll();
  };

  const setImage = (chosen: number) => {
    if (chosen === image || chosen >= index.batch) return;
    image = chosen;
    picture = null;
    writer.write({ image });
    shell.tell({ image });
    askAll();
  };

  const setLayer = (chosen: string | null) => {
    if (chosen === layer) return;
    layer = chosen;
    writer.write({ layer });
    if (chosen !== null) shell.tell({ layer: chosen });
    for (const entry of panels.entries()) if (entry.method.at_layer) ask(entry);
    offer();
  };

  /** Offers what makes sense for the methods that are shown. */
  const offer = () => {
    const methods = panels.entries().map(({ method }) => method);
    options.setUsual(methods.map(({ usual }) => usual));
    options.chooseLayer(
      layer,
      methods.some((method) => method.at_layer),
    );
  };

  /** Takes the network, anew when its inputs or weights have changed. */
  const takeIndex = () => {
    index = told(model.get("_index"));
    options.setLayers(model.get("_grids"));
    offer();
    remarks.say(index.notices);
    const { error } = index;
    if (error) notice.say("index", say("failed"), error.message, error.hint);
    else notice.clear("index");
    image = Math.min(image, Math.max(0, index.batch - 1));
    source.adopt(index.epoch);
  };

  const changeLook = (next: Partial<SaliencyLook>) => {
    writer.write(next);
    setLook({ ...look, ...next });
  };

  const setLook = (next: SaliencyLook) => {
    look = next;
    options.show(look);
    drawAll();
  };

  const setState = (next: StreamState) => {
    state = next;
    sayWaiting();
    sayStatus();
  };

  /** Says of the panels that have nothing yet what they wait for, after a moment. */
  const sayWaiting = () => {
    if (state === "idle" || state === "asking") return;
    const open: readonly PanelState[] = ["asked", "queued", "running"];
    const waiting = panels.entries().filter(({ panel }) => open.includes(panel.state()));
    const first = Math.min(...waiting.map(({ turn }) => turn));
    for (const { panel, turn } of waiting) {
      const isFirst = turn === first;
      panel.setState(state === "static" ? "missing" : isFirst ? "running" : "queued");
    }
  };

  const sayStatus = () => {
    const text = shell.setState(state);
    // A panel at work says so itself.
    setText(status, state === "busy" ? "" : text);
    if (state === "static") notice.say("static", text, say("maps_static_hint"));
  };

  /** Shows what was chosen in another view, as far as this one can. */
  const followChoice = (choice: Choice) => {
    setImage(choice.image ?? image);
    setTarget(choice.target ?? target);
    if (choice.layer && model.get("_grids").includes(choice.layer)) setLayer(choice.layer);
  };

  shell.follow("msg:custom", source.receive);
  shell.followTrait("_index", takeIndex);
  shell.followTrait("target", () => setTarget(model.get("target")));
  shell.followTrait("image", () => setImage(model.get("image")));
  shell.followTrait("layer", () => setLayer(model.get("layer")));
  for (const name of ["panels", "_methods"] as const) {
    shell.followTrait(name, () => {
      if (name === "_methods") methods = told(model.get(name));
      panels.set(model.get("panels"));
      offer();
    });
  }
  for (const name of LOOK_TRAITS) shell.followTrait(name, () => setLook(readLook(model)));

  el.append(root);
  source.stream.start();
  takeIndex();
  options.show(look);
  showInput();
  panels.set(model.get("panels"));
  offer();
  watch(root, [root], () => {}, source.stream.setVisible, shell.signal);

  return () => {
    panels.end();
    shell.end();
    source.close();
  };
}

function readLook(model: SaliencyModel): SaliencyLook {
  return Object.fromEntries(
    LOOK_TRAITS.map((name) => [name, model.get(name)]),
  ) as unknown as SaliencyLook;
}

export default asWidget(openView);
