/** One class of the CamSlider: its map over the picture, its score, and what the values are. */

import { type CamMap, type CamScore, valuesOf } from "./cammaps";
import { contourPath } from "./contour";
import { h, listenUntil, makeImage, setAttributes, setText, show } from "./dom";
import { formatExact, formatNumber, formatProbability } from "./format";
import { makeFrame } from "./frame";
import { extentOf } from "./histogram";
import { type OverlayLook, paintOverlay, paintPicture } from "./overlay";
import { makeProbe } from "./probe";
import { say } from "./words";

/** What is drawn under the maps: its pixels, or none, and the size of every drawing. */
export interface Ground {
  readonly rgb: ArrayLike<number> | null;
  readonly height: number;
  readonly width: number;
}

export interface CamPanel {
  readonly box: HTMLElement;
  /** Draws values over the picture, at once; without values the picture alone. */
  draw(ground: Ground, values: Float32Array | null, look: OverlayLook): void;
  /** Tells the numbers and the notes, once the picture is on the screen. */
  refresh(name: string, map: CamMap | null, score: CamScore | null, remark: string): void;
  /** Marks the panel whose class the slider changes; the only one needs no mark. */
  setActive(isActive: boolean, isOnly: boolean): void;
  end(): void;
}

const NAMESPACE = "http://www.w3.org/2000/svg";

/** The line where the map crosses the threshold, to be seen on any colour. */
function makeContour() {
  const svg = document.createElementNS(NAMESPACE, "svg");
  setAttributes(svg, {
    class: "cnnviz-contour",
    preserveAspectRatio: "none",
    "aria-hidden": "true",
  });
  const paths = [0, 1].map(() => svg.appendChild(document.createElementNS(NAMESPACE, "path")));
  return {
    svg,
    show({ height, width }: Ground, values: Float32Array | null, level: number) {
      const path =
        values && level > 0 ? contourPath(values.map(Math.abs), height, width, level) : "";
      setAttributes(svg, { viewBox: `0 0 ${width} ${height}` });
      for (const line of paths) setAttributes(line, { d: path });
    },
  };
}

/** What is explained of the class, and how likely it is. */
function scoreText({ kind, score, probability }: CamScore): string {
  const first = say("cam_score", { kind: say(`kind_${kind}`), score: formatNumber(score) });
  if (probability === null) return first;
  const second = say("cam_probability", { share: formatProbability(probability) });
  return say("listed", { first, second });
}

/** @param onPick the reader wants to slide the class of this panel; @param onRemove to take it away */
export function makeCamPanel(onPick: () => void, onRemove: () => void): CamPanel {
  const ending = new AbortController();
  const on = listenUntil(ending.signal);
  const name = new Text();
  const pick = h("button.pick", { type: "button" }, name);
  const remove = h("button.remove", { type: "button", "data-cnnviz-control": "remove" }, "×");
  const score = new Text();
  const { frame, canvas, resize, mark } = makeFrame({ role: "application", tabindex: 0 });
  const contour = makeContour();
  frame.append(contour.svg);
  const readout = new Text();
  const note = new Text();
  const box = h(
    "section.panel",
    h("div.panelhead", pick, remove),
    h("p.quiet", score),
    h("div.square", frame),
    h("output.readout", readout),
    h("p.note", note),
  );
  let image = makeImage(canvas, 1, 1);
  let shown: CamMap | null = null;
  let values: Float32Array | null = null;
  let idle = "";

  on(pick, "click", onPick);
  on(remove, "click", onRemove);
  const probe = makeProbe(
    on,
    frame,
    canvas,
    () => shown,
    (aim) => {
      let text = idle;
      if (aim && shown) {
        values ??= valuesOf(shown);
        const value = values[aim.y * shown.width + aim.x] ?? 0;
        const said = shown.exact ? formatExact(value) : `≈ ${formatNumber(value)}`;
        text = say("readout", { y: aim.y, x: aim.x, value: said });
      }
      setText(readout, text);
      mark(aim?.spot ?? null);
    },
  );

  /** What the values are when nobody points at one. */
  const sayExtent = (map: CamMap | null) => {
    idle = "";
    if (map) {
      values ??= valuesOf(map);
      const extent = extentOf(values);
      idle = extent
        ? say("extent", { low: formatNumber(extent.low), high: formatNumber(extent.high) })
        : say("extent_unknown");
    }
    setText(readout, idle);
    probe.refresh();
  };

  return {
    box,
    draw(ground, drawn, look) {
      const { height, width, rgb } = ground;
      if (canvas.width !== width || canvas.height !== height) {
        resize(width, height);
        image = makeImage(canvas, width, height);
      }
      if (drawn) paintOverlay(image.pixels, drawn, rgb, look);
      else if (rgb) paintPicture(image.pixels, rgb);
      else image.pixels.fill(0);
      image.put();
      contour.show(ground, drawn, look.threshold);
    },
    refresh(title, map, found, remark) {
      if (map !== shown) values = null;
      shown = map;
      setText(name, title);
      pick.title = title;
      setAttributes(pick, { "aria-label": say("slide_class", { name: title }) });
      setAttributes(remove, { "aria-label": say("remove_class", { name: title }) });
      box.setAttribute("aria-label", title);
      setText(score, found ? scoreText(found) : "");
      setText(note, [remark, map?.note ?? ""].join(" ").trim());
      setAttributes(box, { "data-stale": !map, "data-status": map?.status ?? null });
      if (map) {
        const label = say("cam_of", {
          name: title,
          layer: map.layer,
          height: map.height,
          width: map.width,
        });
        setAttributes(frame, { "aria-label": label });
      }
      sayExtent(map);
    },
    setActive(isActive, isOnly) {
      setAttributes(pick, { "aria-pressed": isOnly ? null : `${isActive}` });
      setAttributes(box, { "data-active": isActive && !isOnly });
      show(remove, !isOnly);
    },
    end() {
      ending.abort();
      box.remove();
    },
  };
}
