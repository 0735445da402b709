/** The classes that stand side by side, and which of them the slider changes. */

export interface ShownClasses {
  list(): readonly number[];
  /** Place of the one that is slid. */
  active(): number;
  current(): number | undefined;
  /** Takes those that were chosen; none at all is the top prediction. */
  take(chosen: readonly number[]): void;
  /** Takes the top prediction, which is shown where nothing was chosen. */
  setTop(target: number | undefined): void;
  /** Forgets classes that the network does not have. */
  limit(count: number): void;
  activate(place: number): void;
  /** Puts another class in the place of the one that is slid; false if it is there already. */
  replace(target: number): boolean;
  add(target: number): void;
  remove(place: number): void;
}

export function makeShownClasses(chosen: readonly number[]): ShownClasses {
  let list: readonly number[] = chosen;
  let isChosen = chosen.length > 0;
  let top: number | undefined;
  let active = 0;
  const activate = (place: number) => {
    active = Math.max(0, Math.min(place, list.length - 1));
  };
  const show = (next: readonly number[], place = active) => {
    list = next;
    activate(place);
  };
  const choose = (next: readonly number[], place?: number) => {
    isChosen = true;
    show(next, place);
  };
  const fall = () => {
    if (!isChosen) show(top === undefined ? [] : [top]);
  };
  return {
    list: () => list,
    active: () => active,
    current: () => list[active],
    activate,
    take(next) {
      isChosen = next.length > 0;
      if (isChosen) show(next);
      else fall();
    },
    setTop(target) {
      top = target;
      fall();
    },
    limit(count) {
      show(list.filter((target) => target < count));
      isChosen &&= list.length > 0;
    },
    replace(target) {
      if (list[active] === target) return false;
      choose(list.length ? list.map((old, at) => (at === active ? target : old)) : [target]);
      return true;
    },
    add: (target) => choose([...list, target], list.length),
    remove: (place) =>
      choose(
        list.filter((_, at) => at !== place),
        active > place ? active - 1 : active,
      ),
  };
}
