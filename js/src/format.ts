/** Numbers and shapes as text. */

/** A number in four digits, as short as they allow. */
export function formatNumber(value: number): string {
  if (Number.isNaN(value)) return "NaN";
  if (!Number.isFinite(value)) return value > 0 ? "+Inf" : "-Inf";
  if (value === 0) return "0";
  const size = Math.abs(value);
  if (size >= 1e5 || size < 1e-3) return value.toExponential(2).replace("e+", "e");
  return String(Number(value.toPrecision(4)));
}

/** The shortest text that names this float32 and no other. */
export function formatExact(value: number): string {
  if (!Number.isFinite(value) || value === 0) return formatNumber(value);
  for (let digits = 1; digits < 9; digits++) {
    const short = Number(value.toPrecision(digits));
    if (Math.fround(short) === value) return String(short);
  }
  return String(Number(value.toPrecision(9)));
}

export function formatCount(count: number): string {
  return count.toLocaleString("en-US");
}

/** A share as a percentage; never 0 % or 100 % unless it is exactly that. */
export function formatShare(part: number, whole: number): string {
  if (whole === 0) return "0 %";
  const percent = (100 * part) / whole;
  if (part > 0 && percent < 0.1) return "< 0.1 %";
  if (part < whole && percent > 99.9) return "> 99.9 %";
  return `${percent.toFixed(1)} %`;
}

/** A probability in three digits, never rounded to what it is not. */
export function formatProbability(value: number): string {
  if (value > 0 && value < 0.001) return "< 0.001";
  if (value < 1 && value > 0.999) return "> 0.999";
  return value.toFixed(3);
}

/** The shape of one picture's activation: the batch axis is left out. */
export function formatShape(shape: readonly number[]): string {
  return shape.slice(1).join(" × ");
}

/** A range widened to ends of three digits, which are easier to read and to change. */
export function roundOut({ low, high }: { low: number; high: number }): {
  low: number;
  high: number;
} {
  const span = high - low || Math.abs(high) || 1;
  const step = 10 ** (Math.floor(Math.log10(span)) - 2);
  const clean = (steps: number) => Number((steps * step).toPrecision(12));
  return { low: clean(Math.floor(low / step)), high: clean(Math.ceil(high / step)) };
}
