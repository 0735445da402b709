/** The maps of several classes side by side, drawn on one scale or each on its own, and the legend. */

import { type CamMap, type CamScore, fieldOf, peakOf, rangeOf } from "./cammaps";
import { type CamPanel, type Ground, makeCamPanel } from "./campanel";
import type { CamLook } from "./camtraits";
import { h, setAttributes, setText } from "./dom";
import { enlargement, enlargePicture } from "./enlarge";
import { formatNumber } from "./format";
import { resizeField } from "./overlay";
import { palette } from "./palettes";
import { makeRamp } from "./ramp";
import type { Block } from "./wire";
import { say } from "./words";

/** What is said of a panel, once its picture is on the screen. */
export interface Said {
  readonly name: string;
  readonly score: CamScore | null;
  readonly remark: string;
}

export interface CamDrawing {
  readonly box: HTMLElement;
  readonly legend: HTMLElement;
  /** Takes the picture, three bytes a pixel, or null where the input is none. */
  setGround(rgb: Block | null): void;
  /** Makes as many panels as there are classes, and marks the one whose class is slid. */
  setCount(count: number, active: number): void;
  /** Draws maps, one a panel, at once; null for those that are not here. */
  draw(maps: readonly (CamMap | null)[], look: CamLook): void;
  /** Brings up to date what can wait until the picture is on the screen. */
  refresh(said: readonly Said[], look: CamLook): void;
  end(): void;
}

/** Colours of signed values, whatever those of the others are. */
const SIGNED = "coolwarm";
/** Longer side of a drawing where there is no picture. */
const BARE_PX = 224;

/** What is drawn on where there is no picture: as large as one, in the shape of the map. */
function bareGround({ height, width }: { height: number; width: number }): Ground {
  const times = Math.max(1, BARE_PX / Math.max(height, width));
  const side = (size: number) => Math.max(16, Math.round(size * times));
  return { rgb: null, height: side(height), width: side(width) };
}

/** @param onPick takes the place of the panel to be slid; @param onRemove of the one to be removed */
export function makeCamDrawing(
  onPick: (place: number) => void,
  onRemove: (place: number) => void,
): CamDrawing {
  const panels: CamPanel[] = [];
  const sentence = new Text();
  const hidden = new Text();
  const ramp = makeRamp();
  const legend = h("div.legend", h("span", sentence), ramp.box, h("span.hidden", hidden));
  const box = h("div.panels");
  let ground: Ground | null = null;
  let shown: readonly (CamMap | null)[] = [];
  let peaks: readonly number[] = [];
  let active = 0;

  const paint = (maps: readonly (CamMap | null)[], look: CamLook) => {
    const first = maps.find((map) => map !== null);
    const under = ground ?? (first ? bareGround(first) : null);
    if (!under) return;
    const { height, width } = under;
    const drawn = maps.map(
      (map) => map && resizeField(fieldOf(map, look.scale), height, width, look.smooth),
    );
    peaks = drawn.map((values) => (values ? peakOf(values) : 0));
    const common = Math.max(0, ...peaks);
    const isSigned = look.scale === "signed";
    const colours = palette(isSigned ? SIGNED : look.colormap);
    drawn.forEach((values, place) => {
      const peak = look.scale === "map" ? (peaks[place] ?? 0) : common;
      panels[place]?.draw(under, values, {
        colours,
        range: rangeOf(look.scale, peak),
        diverging: isSigned,
        opacity: look.opacity,
        threshold: look.threshold * peak,
      });
    });
  };

  /** Which scale is in force, in words and numbers. */
  const sayScale = (said: readonly Said[], look: CamLook) => {
    const isOwn = look.scale === "map";
    const peak = isOwn ? (peaks[active] ?? 0) : Math.max(0, ...peaks);
    const isSigned = look.scale === "signed";
    const [count, name] = [said.length, said[active]?.name ?? ""];
    setText(
      sentence,
      look.scale === "map" || count < 2
        ? say(`cam_legend_${look.scale}`, { name })
        : say(`cam_legend_${look.scale}_all`, { count }),
    );
    ramp.show(rangeOf(look.scale, peak), palette(isSigned ? SIGNED : look.colormap), isSigned);
    const level = formatNumber(look.threshold * peak);
    const kind = isSigned ? "signed" : "rectified";
    setText(hidden, look.threshold > 0 ? say(`hidden_${kind}`, { value: level }) : "");
  };

  return {
    box,
    legend,
    setGround(rgb) {
      const [rows = 0, columns = 0] = rgb?.shape ?? [];
      const drawn = rgb && enlargePicture(rgb, enlargement(rows, columns));
      const [height = 0, width = 0] = drawn?.shape ?? [];
      ground = drawn ? { rgb: drawn.data, height, width } : null;
    },
    setCount(count, place) {
      active = place;
      while (panels.length > count) panels.pop()?.end();
      while (panels.length < count) {
        const at = panels.length;
        const panel = makeCamPanel(
          () => onPick(at),
          () => onRemove(at),
        );
        panels.push(panel);
        box.append(panel.box);
      }
      panels.forEach((panel, at) => {
        panel.setActive(at === active, count === 1);
      });
    },
    draw(maps, look) {
      shown = maps;
      paint(maps, look);
    },
    refresh(said, look) {
      // Until there is a map its scale is nobody's business; its room is kept.
      setAttributes(legend, { "data-empty": shown.every((map) => map === null) });
      said.forEach(({ name, score, remark }, place) => {
        panels[place]?.refresh(name, shown[place] ?? null, score, remark);
      });
      sayScale(said, look);
    },
    end() {
      for (const panel of panels) panel.end();
    },
  };
}
