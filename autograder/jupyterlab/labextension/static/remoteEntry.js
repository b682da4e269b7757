// Tells the kernel what stands in the cells of the tasks, just before a check runs, and opens the
// course's start page.
//
// Written by hand, no build step: JupyterLab loads this file as the container of a prebuilt
// extension, lends it the modules that all extensions share, and asks for "./extension".
(() => {
  const NAME = "autograder-cells";
  const COMM = "autograder.cells";
  const CHECK = /^%%check\s+[^\s\/]+\/(\S+)/;
  let shared;

  const source = model => model.sharedModel.getSource();

  // The task that a cell answers: nbgrader's name for it, or else the cell's id.
  function task(model) {
    const told = model.getMetadata("nbgrader");
    return told && told.solution ? told.grade_id : model.sharedModel.getId();
  }

  // The texts of every cell that answers a task which some cell of the notebook checks.
  function texts(notebook) {
    const models = notebook.widgets.map(cell => cell.model).filter(model => model.type === "code");
    const found = {};
    for (const model of models) {
      const checked = CHECK.exec(source(model));
      if (checked) found[checked[1]] = [];
    }
    for (const model of models) {
      if (Object.hasOwn(found, task(model))) found[task(model)].push(source(model));
    }
    return found;
  }

  function tell(app, notebook, cell) {
    const text = cell.model.type === "code" ? source(cell.model) : "";
    if (!CHECK.test(text) && !text.includes("%progress")) return;
    for (const panel of app.shell.widgets("main")) {
      const kernel = panel.content === notebook && panel.sessionContext?.session?.kernel;
      if (!kernel) continue;
      const comm = kernel.createComm(COMM);
      comm.commsOverSubshells = "disabled"; // in order with the cell that runs next
      comm.open({ tasks: texts(notebook) });
      comm.close();
    }
  }

  const START = "course:start";

  // The start page, served by this extension's half in the server, in a tab of its own.
  async function startPage() {
    const [apputils, coreutils, mainmenu, application] = await Promise.all(
      ["apputils", "coreutils", "mainmenu", "application"].map(async name => {
        const [version] = Object.values(shared[`@jupyterlab/${name}`]);
        return (await version.get())();
      }),
    );
    const { ICommandPalette, IFrame, MainAreaWidget, WidgetTracker } = apputils;
    const { PageConfig, URLExt } = coreutils;
    return {
      id: `${NAME}:start`,
      description: "Opens the course's start page.",
      autoStart: true,
      optional: [ICommandPalette, mainmenu.IMainMenu, application.ILayoutRestorer],
      activate: (app, palette, menu, restorer) => {
        const tracker = new WidgetTracker({ namespace: "course-start" });
        const address = () => URLExt.join(PageConfig.getBaseUrl(), "course");
        const made = () => {
          const content = new IFrame({
            sandbox: [
              ...["allow-same-origin", "allow-scripts", "allow-top-navigation"],
              ...["allow-downloads", "allow-forms"], // one's work, to take away and to bring back
            ],
          });
          content.url = address();
          const widget = new MainAreaWidget({ content });
          widget.id = "course-start";
          widget.title.label = "Start";
          widget.title.closable = true;
          return widget;
        };
        app.commands.addCommand(START, {
          label: "Start Page of the Course",
          execute: () => {
            const widget = tracker.currentWidget ?? made();
            if (!tracker.has(widget)) void tracker.add(widget);
            if (!widget.isAttached) app.shell.add(widget, "main");
            app.shell.activateById(widget.id);
            return widget;
          },
        });
        // What the checks said since: the page is read anew whenever it comes to the front.
        app.shell.currentChanged?.connect((_, { newValue }) => {
          if (newValue?.id === "course-start") newValue.content.url = address();
        });
        window.addEventListener("message", ({ origin, data }) => {
          if (origin === location.origin && data?.course === "open") {
            void app.commands.execute("docmanager:open", { path: data.path });
          }
        });
        palette?.addItem({ command: START, category: "Help" });
        menu?.helpMenu.addGroup([{ command: START }], 0);
        void restorer?.restore(tracker, { command: START, name: () => "course-start" });
        if (new URLSearchParams(location.search).has("start")) {
          void app.restored.then(() => app.commands.execute(START));
        }
      },
    };
  }

  async function extension() {
    const [version] = Object.values(shared["@jupyterlab/notebook"]);
    const { NotebookActions } = (await version.get())();
    return {
      id: `${NAME}:plugin`,
      description: "Tells a check what stands in the cells of the tasks.",
      autoStart: true,
      activate: app => {
        NotebookActions.executionScheduled.connect((_, { notebook, cell }) => {
          try {
            tell(app, notebook, cell);
          } catch (error) {
            console.warn(`${NAME}: the kernel was not told what stands in the cells`, error);
          }
        });
      },
    };
  }

  window._JUPYTERLAB = window._JUPYTERLAB || {};
  window._JUPYTERLAB[NAME] = {
    init: scope => {
      shared = scope;
    },
    get: async () => {
      const plugins = [await extension(), await startPage()];
      return () => ({ __esModule: true, default: plugins });
    },
  };
})();
