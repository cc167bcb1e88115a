import './styles/tokens.css';
import './styles/base.css';
import './styles/ansi.css';
import './styles/processes.css';
import './styles/records.css';

import { isTauri } from '@tauri-apps/api/core';
import { mount } from 'svelte';

import type { Carrier } from './api/carrier';
import { TauriCarrier } from './api/tauri';
import { reloadForToken, takeToken } from './api/token';
import { WebSocketCarrier } from './api/websocket';
import { Acts } from './forge/acts.svelte';
import { Forge } from './forge/forge.svelte';
import { Layers } from './forge/layers.svelte';
import { mendLanguage } from './host/language';
import { tauriHost } from './host/tauri';
import { webHost } from './host/web';
import { Router } from './route/router.svelte';
import App from './shell/App.svelte';

function carrierOfThisPage(): Carrier {
  if (isTauri()) return new TauriCarrier();
  reloadForToken();
  const scheme = location.protocol === 'https:' ? 'wss' : 'ws';
  return new WebSocketCarrier(`${scheme}://${location.host}/ws`, takeToken() ?? 'none');
}

mendLanguage(navigator);
const host = isTauri() ? tauriHost : webHost;
const forge = new Forge(carrierOfThisPage());
const acts = new Acts(forge, host);
const router = new Router(host);
const layers = new Layers();

const target = document.getElementById('app');
if (target) mount(App, { target, props: { forge, acts, host, router, layers } });
forge.run();
void router.run();
