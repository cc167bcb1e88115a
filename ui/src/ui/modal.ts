/** Whether a dialogue has the keys. */
export const isModal = (): boolean => document.querySelector('dialog[open]') !== null;
