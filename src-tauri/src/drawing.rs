//! By what the webview draws.
//!
//! WebKitGTK puts its layers together by OpenGL. Where there is no graphics card that is done by a program, for the whole
//! window and each frame: it takes all cores, and a click that 25 ms answer without it has to wait for 120 ms.

use tauri::WebviewWindow;
use webkit2gtk::{HardwareAccelerationPolicy, SettingsExt, WebViewExt};

/// Lets the processor draw straight into the window where there is no graphics card.
pub(crate) fn suit(window: &WebviewWindow) {
    if has_card() {
        return;
    }
    let set = window.with_webview(|webview| {
        if let Some(settings) = webview.inner().settings() {
            settings.set_hardware_acceleration_policy(HardwareAccelerationPolicy::Never);
        }
    });
    if let Err(error) = set {
        tracing::warn!("the window may be slow, it draws without a graphics card: {error}");
    }
}

/// One that renders. Source: drm(7), `/dev/dri/renderD*`.
fn has_card() -> bool {
    let devices = std::fs::read_dir("/dev/dri").into_iter().flatten().flatten();
    devices.into_iter().any(|device| device.file_name().as_encoded_bytes().starts_with(b"renderD"))
}
