//! The desktop app, as its user has it: a tray that is clicked over the session bus, notifications that are answered,
//! a window on an X server of the test's own, its page driven over WebDriver.
#![cfg(target_os = "linux")]

mod life;
mod notifications;
mod outside;
mod pages;
mod saving;
mod tray;
mod window;
