//! Notices when a configuration that the faces show is edited, appears or goes.

use std::path::{Path, PathBuf};
use std::time::Duration;

use forge_api::Update;
use notify::{RecursiveMode, Watcher as _};

use super::{Core, Message};

/// An editor writes a file in several steps.
const PAUSE: Duration = Duration::from_millis(200);

/// The watches that are set.
pub(super) struct Watching {
    watcher: notify::RecommendedWatcher,
    folders: Vec<PathBuf>,
}

impl Core {
    /// Watches the `.forge` folders of what is shown, and no others.
    pub(super) fn watch_configurations(&mut self) {
        let shown = self.shown_workspaces();
        let folders: Vec<PathBuf> = shown.iter().map(|root| root.join(".forge")).collect();
        if self.configurations.is_none() && !folders.is_empty() {
            match self.configuration_watcher() {
                Ok(watcher) => self.configurations = Some(Watching { watcher, folders: Vec::new() }),
                Err(error) => return tracing::warn!("configurations are not watched: {error}"),
            }
        }
        let Some(watching) = &mut self.configurations else { return };
        for gone in watching.folders.iter().filter(|folder| !folders.contains(folder)) {
            // It may have been deleted, and the watch with it.
            let _ = watching.watcher.unwatch(gone);
        }
        let known = std::mem::take(&mut watching.folders);
        for folder in folders {
            if known.contains(&folder) || watching.watcher.watch(&folder, RecursiveMode::NonRecursive).is_ok()
            {
                watching.folders.push(folder);
            }
        }
    }

    fn configuration_watcher(&self) -> notify::Result<notify::RecommendedWatcher> {
        let handle = self.handle.clone();
        let runtime = tokio::runtime::Handle::current();
        let planned = std::sync::Arc::new(std::sync::atomic::AtomicBool::new(false));
        notify::recommended_watcher(move |event: notify::Result<notify::Event>| {
            use std::sync::atomic::Ordering;
            let concerns = event.is_ok_and(|event| {
                !event.kind.is_access() && event.paths.iter().any(|path| is_configuration(path))
            });
            if concerns && !planned.swap(true, Ordering::AcqRel) {
                let (handle, planned) = (handle.clone(), std::sync::Arc::clone(&planned));
                runtime.spawn(async move {
                    tokio::time::sleep(PAUSE).await;
                    planned.store(false, Ordering::Release);
                    handle.tell(Message::Visit(Box::new(Core::configuration_changed)));
                });
            }
        })
    }

    fn configuration_changed(&mut self) {
        // What runs may be out of date now.
        self.touched.extend(self.environments.keys().cloned());
        self.close_gone();
        self.publish(Update::Workspaces {});
    }
}

fn is_configuration(path: &Path) -> bool {
    path.file_name()
        .is_some_and(|name| name == "processes.yml" || name == "processes.yaml" || name == ".forge")
}
