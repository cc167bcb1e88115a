// Addresses of the page, as they stand in bookmarks.
const part = encodeURIComponent;

/** @typedef {import('./workspace.mjs').Workspace} Workspace */

/** @param {Workspace} workspace */
export const workspaceRoute = (workspace) => `/w/${part(workspace.folder)}`;

/** @param {Workspace} workspace @param {string} environment @param {string} [tab] */
export const environmentRoute = (workspace, environment, tab) =>
  `/e/${part(workspace.folder)}/${part(environment)}${tab ? `/${tab}` : ''}`;

/** @param {Workspace} workspace @param {string} environment @param {string} process @param {string} [tab] */
export const processRoute = (workspace, environment, process, tab) =>
  `${environmentRoute(workspace, environment)}/p/${part(process)}${tab ? `/${tab}` : ''}`;
