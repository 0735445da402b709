// Times controls in the page: from right before a control moves to right after the paint of the frame that shows its new
// value. A spec is { set(value), shown() }; the method is the same for all of them.
(() => {
  if (window.cnnvizTiming) return;
  const specs = {};

  // Called inside an animation frame: runs `callback` right after that frame's paint.
  function afterPaint(callback) {
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => {
      port1.close();
      callback(performance.now());
    };
    port2.postMessage(null);
  }
  const frame = () => new Promise((resolve) => requestAnimationFrame(() => afterPaint(resolve)));
  const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

  // Waits until a time; the last milliseconds busily, because timers are coarse.
  async function spin(time) {
    const spare = time - performance.now() - 3;
    if (spare > 0) await pause(spare);
    while (performance.now() < time);
  }

  // Keeps frames coming. A page that rests draws a change at once, one that has just drawn waits for the next tick, and a
  // step must not be measured by what the spec happened to do before it.
  function ticking() {
    let on = true;
    const tick = () => on && requestAnimationFrame(tick);
    tick();
    return () => {
      on = false;
    };
  }

  async function until(shown, value, timeout) {
    const deadline = performance.now() + timeout;
    for (;;) {
      const at = await frame();
      if (shown() === value) return at;
      if (at > deadline) return null;
    }
  }

  window.cnnvizTiming = {
    specs,
    ticking,
    // Milliseconds from the control's change to the painted value, null where it never came. The moves are spread evenly
    // over the phase of the 60 Hz frame, in random order: a random phase, without the scatter of a small sample.
    // With `rest` no frames run before a move, and every move has time to settle: one move after a pause.
    async steps(name, values, { settle = 30, rest = false, timeout = 20000 } = {}) {
      const { set, shown } = specs[name];
      const phases = values.map((_, i) => ((i + Math.random()) / values.length) * (1000 / 60));
      for (let i = phases.length - 1; i > 0; i--) {
        const j = Math.floor(Math.random() * (i + 1));
        [phases[i], phases[j]] = [phases[j], phases[i]];
      }
      const took = [];
      const stop = rest ? () => {} : ticking();
      for (const [i, value] of values.entries()) {
        await pause(rest ? 400 : settle);
        await spin((rest ? performance.now() : await frame()) + phases[i]);
        const started = performance.now();
        set(value);
        const at = await until(shown, value, timeout);
        took.push(at === null ? null : at - started);
      }
      stop();
      return took;
    },
    // One value per animation frame. What was shown after each paint, until the last value is.
    async drag(name, values, settle = 100, timeout = 20000) {
      const { set, shown } = specs[name];
      const sets = [];
      const paints = [];
      await pause(settle);
      const before = shown();
      await new Promise((resolve) => {
        const next = () => {
          sets.push(performance.now());
          set(values[sets.length - 1]);
          const last = sets.length === values.length;
          afterPaint((at) => {
            paints.push([at, shown()]);
            if (last) resolve();
          });
          if (!last) requestAnimationFrame(next);
        };
        requestAnimationFrame(next);
      });
      const deadline = performance.now() + timeout;
      while (shown() !== values.at(-1) && performance.now() < deadline) {
        const at = await frame();
        paints.push([at, shown()]);
      }
      return { before, sets, paints };
    },
  };
})();
