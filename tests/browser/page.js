// Runs in the page before anything else: what the tests need of JupyterLab, and a record of what was painted and sent.
(() => {
  if (window.cnnvizTest) return;
  const panel = () => window.jupyterapp.shell.currentWidget;
  const traffic = { on: false, received: [], sent: [] };
  const painted = [];

  // Lab's websocket carries version 1 of the kernel protocol: offsets (u64 LE), then channel, header, parent, metadata, content, buffers.
  function decode(data) {
    if (typeof data === "string") return { text: data, bytes: data.length };
    const buffer = data instanceof ArrayBuffer ? data : data.buffer;
    const start = data instanceof ArrayBuffer ? 0 : data.byteOffset;
    const view = new DataView(buffer, start, data.byteLength);
    const count = Number(view.getBigUint64(0, true));
    const at = [];
    for (let i = 0; i < count; i++) at.push(Number(view.getBigUint64(8 * (i + 1), true)));
    const text = (i) => new TextDecoder().decode(new Uint8Array(buffer, start + at[i], at[i + 1] - at[i]));
    return {
      bytes: data.byteLength,
      type: JSON.parse(text(1)).msg_type,
      content: text(4).length > 100000 ? null : JSON.parse(text(4)),
      contentBytes: at[5] - at[4],
      bufferBytes: data.byteLength - at[5],
    };
  }
  function note(list, data) {
    if (!traffic.on) return;
    const entry = { at: performance.now(), size: data.length ?? data.byteLength ?? 0 };
    list.push(traffic.decode ? { ...entry, ...decode(data) } : entry);
  }
  const Native = window.WebSocket;
  window.WebSocket = class extends Native {
    constructor(...args) {
      super(...args);
      if (!String(args[0]).includes("/channels")) return;
      this.addEventListener("message", (event) => note(traffic.received, event.data));
    }
    send(data) {
      if (this.url.includes("/channels")) note(traffic.sent, data);
      super.send(data);
    }
  };

  document.addEventListener("cnnviz:painted", (event) => {
    painted.push({ at: performance.now(), ...event.detail });
  });

  window.cnnvizTest = {
    painted,
    traffic,
    record(on, decoded = false) {
      traffic.received.length = 0;
      traffic.sent.length = 0;
      traffic.on = on;
      traffic.decode = decoded;
    },
    async opened(name) {
      const app = window.jupyterapp;
      if (!app) return false;
      await app.restored;
      if (panel()?.context?.path !== name) return false;
      await panel().context.ready;
      await panel().sessionContext.ready;
      app.shell.collapseLeft();
      const kernel = panel().sessionContext.session?.kernel;
      return kernel?.connectionStatus === "connected" && kernel.status !== "unknown";
    },
    async run(source, wait) {
      const notebook = panel().content;
      const cells = notebook.model.sharedModel;
      let index = cells.cells.length;
      const last = cells.cells[index - 1];
      if (last && !last.getSource()) index -= 1;
      if (index === cells.cells.length) cells.insertCell(index, { cell_type: "code", source });
      else last.setSource(source);
      notebook.activeCellIndex = index;
      const done = window.jupyterapp.commands.execute("notebook:run-cell");
      if (wait) await done;
      return index;
    },
    async runCell(index, wait) {
      panel().content.activeCellIndex = index;
      const done = window.jupyterapp.commands.execute("notebook:run-cell");
      if (wait) await done;
    },
    cell(index) {
      const model = panel().content.model.cells.get(index);
      return { outputs: model.outputs.toJSON() };
    },
    async restart() {
      await panel().sessionContext.session.kernel.restart();
    },
    async save() {
      await panel().context.save();
    },
    // A value of a native control, set as a hand does: the value first, then the events.
    set(control, value) {
      control.value = String(value);
      control.dispatchEvent(new Event("input", { bubbles: true }));
    },
    // A control that is set once and left: a select, or the end of a move.
    choose(control, value) {
      window.cnnvizTest.set(control, value);
      control.dispatchEvent(new Event("change", { bubbles: true }));
    },
    // One value per animation frame; resolves one frame after the last with the times of the events.
    drag(control, values) {
      return new Promise((resolve) => {
        const times = [];
        const step = () => {
          if (times.length === values.length) {
            control.dispatchEvent(new Event("change", { bubbles: true }));
            resolve(times);
            return;
          }
          const value = values[times.length];
          times.push(performance.now());
          window.cnnvizTest.set(control, value);
          requestAnimationFrame(step);
        };
        requestAnimationFrame(step);
      });
    },
  };
})();
