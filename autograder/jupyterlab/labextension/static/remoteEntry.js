// Tells the kernel what stands in the cells of the tasks, just before a check runs.
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
      const plugin = await extension();
      return () => ({ __esModule: true, default: plugin });
    },
  };
})();
