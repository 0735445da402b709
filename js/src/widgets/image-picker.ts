/** The ImagePicker in the page: a picture comes in, and is shown as the network gets it. */

import type { AnyModel } from "@anywidget/types";
import type { Clock } from "../clock";
import { selectControl } from "../controls";
import { h, setText, show } from "../dom";
import { makeInputPanel } from "../inputpanel";
import { makePickerSamples } from "../pickersamples";
import type { PickerTraits, Step } from "../pickertraits";
import { makePickerZone } from "../pickerzone";
import { makeRemarks } from "../remarks";
import { asWidget, openShell } from "../shell";
import { makeReader, openStream, type StreamState } from "../stream";
import { watch } from "../surroundings";
import { sendFile } from "../upload";
import type { Failure, Frame, Params } from "../wire";
import { say, told } from "../words";

const FITS = ["crop", "pad", "stretch"] as const;

/** A step in words; sides that differ are named, so that nobody takes one for the other. */
function stepText([kind, width, height, name]: Step): string {
  const size = say(width === height ? "size_square" : "size_oblong", { width, height });
  return say(`step_${kind}`, { size, name });
}

/** Opens a view of the model in `el`; what it returns takes everything away again. */
function openView(model: AnyModel<PickerTraits>, el: HTMLElement, clock: Clock): () => void {
  const shell = openShell(model, "image-picker", clock, (choice) =>
    setImage(choice.image ?? image),
  );
  const { root, on, writer, notice, followTrait } = shell;
  let index = told(model.get("_index"));
  let image = model.get("image");
  let epoch = -1;
  let uploads = 0;
  let isLive = true;

  const zone = makePickerZone(on, root, model.get("_most_bytes"), (file) => void take(file));
  const samples = makePickerSamples(on, (sample) => choose({ sample }));
  const input = makeInputPanel(on, (chosen) => setImage(chosen));
  const remarks = makeRemarks();
  const name = h("strong");
  const steps = h("ol");
  const done = h("section.done", { role: "status" }, name, steps);
  const fits = FITS.map((name) => [name, say(`fit_${name}`)] as const);
  const fit = selectControl("fit", say("fit"), fits, on, (chosen) => choose({ fit: chosen }));
  const status = h("span.status", { role: "status" });
  const seen = h("div.seen", input.picture, remarks.box);
  const about = h("div.told", done, fit.box, input.predictions);
  const offered = h("div.offered", zone.box, samples.box, status);
  root.append(notice.box, h("div.body", offered, seen, about));

  const stream = openStream(
    shell.cid,
    {
      send: (content) => model.send(content),
      onFrame: (frame) => takeFrame(frame),
      onFailure: (failure) => fail(failure),
      onWelcome: (newest) => adopt(newest),
      onState: (state) => setState(state),
    },
    clock,
    ["choose", "input", "samples"],
    () => devicePixelRatio,
  );

  /** Follows the kernel's state: another picture is shown there. */
  const adopt = (newest: number) => {
    if (newest <= epoch) return;
    epoch = newest;
    stream.ask("input", { image });
  };

  const takeFrame = (frame: Frame) => {
    const { kind, params, arrays } = frame;
    if (kind === "samples" && arrays.rgb) samples.draw(arrays.rgb);
    if (kind !== "input" || frame.epoch < epoch) return;
    // What a choice is answered with is newer than all that was known.
    epoch = frame.epoch;
    if (params.image !== image) return;
    notice.clear("choose");
    input.show(frame);
    remarks.say(frame.header.notices);
    shell.announce({ image, seq: frame.seq });
  };

  const choose = (params: Params) => stream.ask("choose", params);

  const refuse = (message: string) => notice.say("choose", say("picture_failed"), message);

  /** Takes a file that was chosen, dropped or pasted. */
  const take = async (file: File | null) => {
    const most = model.get("_most_bytes");
    if (!isLive) return refuse(say("picker_needs_kernel"));
    if (!file) return refuse(say("picture_no_file"));
    if (file.size === 0) return refuse(say("picture_empty"));
    if (file.size > most) {
      const megabytes = (file.size / (1 << 20)).toFixed(1);
      return refuse(say("picture_too_large", { megabytes, most: most >> 20 }));
    }
    uploads += 1;
    const upload = uploads;
    const send = (part: object, bytes: ArrayBuffer) => model.send(part, undefined, [bytes]);
    try {
      const isSent = await sendFile(file, shell.cid, upload, send, () => upload === uploads);
      if (isSent) choose({ upload, name: file.name || say("drop"), size: file.size });
    } catch (error) {
      refuse(say("picture_unreadable", { error: `${error}` }));
    }
  };

  const fail = (failure: Pick<Failure, "kind" | "message" | "hint">) => {
    if (failure.kind !== "choose") return shell.fail(failure);
    shell.fail(failure, say("picture_failed"));
    showChosen();
  };

  /** Says what was chosen, and what was done to it. */
  const showChosen = () => {
    const { name: title, sample = -1, steps: list } = model.get("_chosen");
    samples.choose(sample);
    show(done, list !== undefined);
    if (!list) return;
    const place = sample + 1;
    setText(
      name,
      title || (place > 0 ? say("sample_of", { place, count: model.get("_names").length }) : ""),
    );
    const lines = list.length > 0 ? list.map(stepText) : [say("as_it_was")];
    steps.replaceChildren(...lines.map((line) => h("li", line)));
  };

  const setImage = (chosen: number) => {
    if (chosen === image || chosen >= index.batch) return;
    image = chosen;
    writer.write({ image });
    shell.tell({ image });
    input.choose(image, index.batch);
    stream.ask("input", { image });
  };

  const setState = (state: StreamState) => {
    setText(status, shell.setState(state));
    isLive = state !== "static" && state !== "stored";
    for (const part of [zone, samples]) part.setEnabled(isLive);
    fit.input.disabled = !isLive;
    if (state === "static") notice.say("static", say("picker_needs_kernel"), "");
  };

  const takeIndex = () => {
    index = told(model.get("_index"));
    image = Math.min(image, index.batch - 1);
    input.choose(image, index.batch);
    adopt(index.epoch);
  };

  const takeNames = () => {
    samples.setNames(model.get("_names"));
    stream.ask("samples", {});
  };

  shell.follow("msg:custom", makeReader(stream.receive, fail));
  followTrait("_index", takeIndex);
  followTrait("_chosen", showChosen);
  followTrait("_names", takeNames);
  followTrait("image", () => setImage(model.get("image")));
  followTrait("fit", () => {
    fit.input.value = model.get("fit");
  });

  el.append(root);
  fit.input.value = model.get("fit");
  show(fit.box, !model.get("_preprocess"));
  stream.start();
  takeIndex();
  takeNames();
  showChosen();
  watch(root, [], () => {}, stream.setVisible, shell.signal);

  return () => {
    shell.end();
    stream.close();
  };
}

export default asWidget(openView);
