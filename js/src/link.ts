/** Views of one Inspector in a page follow each other, from view to view and without the kernel. */

/** What a reader chose in a view; what is left out stays as it is. */
export interface Choice {
  readonly layer?: string;
  readonly channel?: number;
  /** Index of a class. */
  readonly target?: number;
  readonly image?: number;
}

interface Told extends Choice {
  readonly inspector: string;
  /** The view that tells, so that it does not listen to itself. */
  readonly origin: object;
}

/** Each widget brings its own copy of this code; the page, which they share, is what joins them. */
const EVENT = "cnnviz:link";

/**
 * Joins the views of an Inspector in this page, until the signal ends it.
 *
 * A view tells what its reader chose, never what it was told, so that nothing goes round in circles.
 *
 * @param inspector names the Inspector, as its index does
 * @param isLinked whether the view takes part now
 * @param onChoice takes what was chosen elsewhere; what the view cannot show it leaves aside
 * @returns tells the others what was chosen here
 */
export function joinLink(
  inspector: () => string,
  isLinked: () => boolean,
  onChoice: (choice: Choice) => void,
  signal: AbortSignal,
): (choice: Choice) => void {
  const origin = {};
  let isFollowing = false;
  const listen = (event: Event) => {
    const told = (event as CustomEvent<Told>).detail;
    if (told.origin === origin || told.inspector !== inspector() || !isLinked()) return;
    isFollowing = true;
    try {
      onChoice(told);
    } finally {
      isFollowing = false;
    }
  };
  addEventListener(EVENT, listen, { signal });
  return (choice) => {
    if (isFollowing || !isLinked()) return;
    const detail: Told = { ...choice, inspector: inspector(), origin };
    dispatchEvent(new CustomEvent(EVENT, { detail }));
  };
}
