//! What to tell a package manager. Nothing in here looks at the machine.

use super::Tool;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PackageManager {
    Apt,
    Dnf,
    Pacman,
    Zypper,
    Brew,
    Winget,
}

/// How root's rights are had.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Privilege {
    /// We have them, or they are not needed.
    Own,
    Sudo,
    /// `sudo`, but nobody is there who could type a password.
    SudoSilently,
}

/// Whether the manager knows today's packages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Lists {
    Fresh,
    Stale,
}

/// Commands, in order.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Plan {
    pub(crate) commands: Vec<Vec<String>>,
    /// Renews the package lists; worth a try if an installation fails.
    pub(crate) refresh: Option<Vec<String>>,
    /// Not to be had from this manager.
    pub(crate) unavailable: Vec<Tool>,
}

/// What to run so that `missing` is there.
pub(crate) fn plan(missing: &[Tool], manager: PackageManager, privilege: Privilege, lists: Lists) -> Plan {
    let mut packages = Vec::new();
    let mut unavailable = Vec::new();
    for tool in missing {
        match manager.packages(*tool) {
            [] => unavailable.push(*tool),
            names => {
                packages.extend(names.iter().filter(|name| !packages.contains(name)).collect::<Vec<_>>())
            }
        }
    }
    let refresh = manager.refresh().map(|words| privilege.apply(words));
    if packages.is_empty() {
        return Plan { commands: Vec::new(), refresh: None, unavailable };
    }
    let mut commands = Vec::new();
    let mut refresh = refresh;
    if lists == Lists::Stale {
        commands.extend(refresh.take());
    }
    if manager == PackageManager::Winget {
        // winget takes one package at a time, and ends with an error if one is there already.
        commands.extend(packages.iter().map(|name| words(manager.install(), &[name])));
    } else {
        let install = words(manager.install(), &packages);
        commands.push(privilege.apply(&install.iter().map(String::as_str).collect::<Vec<_>>()));
    }
    Plan { commands, refresh, unavailable }
}

/// What else these packages do, and how to undo it.
pub(crate) fn note(installed: &[Tool], manager: PackageManager) -> Option<&'static str> {
    let servers = installed.iter().any(|tool| matches!(tool, Tool::Redis | Tool::Postgres));
    (manager == PackageManager::Apt && servers).then_some(
        "these packages also start Redis and PostgreSQL as services, on their usual ports, which nothing here needs: \
         `systemctl disable --now redis-server postgresql` ends that",
    )
}

fn words(verb: &[&str], packages: &[&&str]) -> Vec<String> {
    verb.iter().chain(packages.iter().copied()).map(|word| (*word).to_owned()).collect()
}

impl Privilege {
    fn apply(self, command: &[&str]) -> Vec<String> {
        let before: &[&str] = match self {
            Self::Own => &[],
            Self::Sudo => &["sudo"],
            Self::SudoSilently => &["sudo", "-n"],
        };
        before.iter().chain(command).map(|word| (*word).to_owned()).collect()
    }
}

impl PackageManager {
    /// In the order in which they are looked for: on a Mac or a Linux with Homebrew beside the system's own, the
    /// system's comes first.
    pub(crate) const ALL: [Self; 6] =
        [Self::Apt, Self::Dnf, Self::Pacman, Self::Zypper, Self::Brew, Self::Winget];

    pub(crate) const fn program(self) -> &'static str {
        match self {
            Self::Apt => "apt-get",
            Self::Dnf => "dnf",
            Self::Pacman => "pacman",
            Self::Zypper => "zypper",
            Self::Brew => "brew",
            Self::Winget => "winget",
        }
    }

    pub(crate) const fn needs_root(self) -> bool {
        !matches!(self, Self::Brew | Self::Winget)
    }

    /// `env` sets the variable below sudo, which clears most of them.
    const fn install(self) -> &'static [&'static str] {
        match self {
            Self::Apt => &[
                "env",
                "DEBIAN_FRONTEND=noninteractive",
                "apt-get",
                "install",
                "-y",
                "--no-install-recommends",
                "-o",
                "DPkg::Lock::Timeout=900",
            ],
            Self::Dnf => &["dnf", "install", "-y"],
            Self::Pacman => &["pacman", "-S", "--needed", "--noconfirm"],
            Self::Zypper => &["zypper", "--non-interactive", "install"],
            Self::Brew => &["brew", "install"],
            Self::Winget => &[
                "winget",
                "install",
                "--silent",
                "--accept-package-agreements",
                "--accept-source-agreements",
                "--exact",
                "--id",
            ],
        }
    }

    const fn refresh(self) -> Option<&'static [&'static str]> {
        match self {
            Self::Apt => Some(&["apt-get", "update", "-o", "DPkg::Lock::Timeout=900"]),
            Self::Pacman => Some(&["pacman", "-Sy", "--noconfirm"]),
            // The others look by themselves.
            Self::Dnf | Self::Zypper | Self::Brew | Self::Winget => None,
        }
    }

    /// The packages that hold a tool; none: this manager does not have it.
    const fn packages(self, tool: Tool) -> &'static [&'static str] {
        match (self, tool) {
            (Self::Apt | Self::Dnf | Self::Pacman, Tool::Node) => &["nodejs"],
            (Self::Apt | Self::Pacman, Tool::Npm) => &["npm"],
            (Self::Dnf, Tool::Npm) => &["nodejs-npm"],
            (Self::Zypper, Tool::Node) => &["nodejs-default"],
            (Self::Zypper, Tool::Npm) => &["npm-default"],
            (Self::Brew, Tool::Node | Tool::Npm) => &["node"],
            (Self::Winget, Tool::Node | Tool::Npm) => &["OpenJS.NodeJS.LTS"],
            (Self::Apt | Self::Dnf | Self::Zypper, Tool::Python) => &["python3"],
            (Self::Pacman | Self::Brew, Tool::Python) => &["python"],
            (Self::Winget, Tool::Python) => &["Python.Python.3.13"],
            (Self::Apt, Tool::Redis) => &["redis-server", "redis-tools"],
            (Self::Dnf | Self::Zypper | Self::Brew, Tool::Redis) => &["redis"],
            // Arch's successor of Redis brings the old names along.
            (Self::Pacman, Tool::Redis) => &["valkey"],
            (Self::Apt | Self::Pacman, Tool::Postgres) => &["postgresql"],
            (Self::Dnf | Self::Zypper, Tool::Postgres) => &["postgresql-server", "postgresql"],
            (Self::Brew, Tool::Postgres) => &["postgresql@17"],
            (Self::Winget, Tool::Postgres) => &["PostgreSQL.PostgreSQL.17"],
            (Self::Apt | Self::Dnf | Self::Pacman | Self::Zypper | Self::Brew, Tool::Tmux) => &["tmux"],
            (Self::Apt, Tool::WebKit) => {
                &["build-essential", "pkg-config", "libwebkit2gtk-4.1-dev", "librsvg2-dev"]
            }
            (Self::Dnf, Tool::WebKit) => &["gcc", "pkgconf", "webkit2gtk4.1-devel", "librsvg2-devel"],
            (Self::Pacman, Tool::WebKit) => &["base-devel", "webkit2gtk-4.1", "librsvg"],
            (Self::Zypper, Tool::WebKit) => &["gcc", "pkg-config", "webkit2gtk3-devel", "librsvg-devel"],
            (Self::Apt, Tool::Screen) => &["xvfb", "xauth", "dbus", "libgl1-mesa-dri"],
            (Self::Dnf, Tool::Screen) => &["xorg-x11-server-Xvfb", "xorg-x11-xauth", "dbus-daemon"],
            (Self::Pacman, Tool::Screen) => &["xorg-server-xvfb", "xorg-xauth", "dbus"],
            (Self::Zypper, Tool::Screen) => &["xorg-x11-server-Xvfb", "xauth", "dbus-1"],
            (Self::Apt, Tool::WebKitDriver) => &["webkit2gtk-driver"],
            // The others ship it with the library, if at all.
            (Self::Dnf | Self::Pacman | Self::Zypper, Tool::WebKitDriver) => &["webkit2gtk-driver"],
            (Self::Apt | Self::Dnf | Self::Pacman | Self::Zypper | Self::Brew, Tool::Chromium) => {
                &["chromium"]
            }
            (Self::Winget, Tool::Chromium) => &["Hibbiki.Chromium"],
            (Self::Brew | Self::Winget, Tool::WebKit | Tool::Screen | Tool::WebKitDriver) => &[],
            (Self::Apt | Self::Pacman, Tool::S6) => &["s6"],
            (Self::Winget, Tool::Rpm) => &[],
            (Self::Pacman, Tool::Rpm) => &["rpm-tools"],
            (_, Tool::Rpm) => &["rpm"],
            (Self::Winget, Tool::Ripgrep) => &["BurntSushi.ripgrep.MSVC"],
            (_, Tool::Ripgrep) => &["ripgrep"],
            (Self::Apt, Tool::RustSource) => {
                &["rustc-web", "cargo-web", "rust-web-src", "binutils-mingw-w64-x86-64"]
            }
            (Self::Winget, Tool::Redis | Tool::Tmux) => &[],
            (_, Tool::S6 | Tool::RustSource) => &[],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TESTS: &[Tool] = Tool::FOR_TESTS;

    fn lines(plan: &Plan) -> Vec<String> {
        plan.commands.iter().map(|words| words.join(" ")).collect()
    }

    #[test]
    fn each_manager_is_told_in_its_own_words() {
        let apt = "env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends \
                   -o DPkg::Lock::Timeout=900";
        let winget =
            "winget install --silent --accept-package-agreements --accept-source-agreements --exact --id";
        type Case<'a> = (&'a [Tool], PackageManager, Privilege, Lists, &'a [String]);
        let table: &[Case<'_>] = &[
            (&[Tool::Node], PackageManager::Apt, Privilege::Own, Lists::Fresh, &[format!("{apt} nodejs")]),
            (
                &[Tool::Redis, Tool::Postgres],
                PackageManager::Apt,
                Privilege::SudoSilently,
                Lists::Stale,
                &[
                    "sudo -n apt-get update -o DPkg::Lock::Timeout=900".to_owned(),
                    format!("sudo -n {apt} redis-server redis-tools postgresql"),
                ],
            ),
            (
                TESTS,
                PackageManager::Dnf,
                Privilege::Sudo,
                Lists::Fresh,
                &["sudo dnf install -y nodejs nodejs-npm python3 redis postgresql-server postgresql tmux gcc \
                   pkgconf webkit2gtk4.1-devel librsvg2-devel xorg-x11-server-Xvfb xorg-x11-xauth dbus-daemon \
                   webkit2gtk-driver chromium"
                    .to_owned()],
            ),
            (
                TESTS,
                PackageManager::Pacman,
                Privilege::Own,
                Lists::Fresh,
                &["pacman -S --needed --noconfirm nodejs npm python valkey postgresql tmux base-devel \
                   webkit2gtk-4.1 librsvg xorg-server-xvfb xorg-xauth dbus webkit2gtk-driver chromium"
                    .to_owned()],
            ),
            (
                &[Tool::Npm],
                PackageManager::Zypper,
                Privilege::Own,
                Lists::Fresh,
                &["zypper --non-interactive install npm-default".to_owned()],
            ),
            (
                TESTS,
                PackageManager::Brew,
                Privilege::Own,
                Lists::Fresh,
                &["brew install node python redis postgresql@17 tmux chromium".to_owned()],
            ),
            (
                &[Tool::Node, Tool::Npm, Tool::Python],
                PackageManager::Winget,
                Privilege::Own,
                Lists::Fresh,
                &[format!("{winget} OpenJS.NodeJS.LTS"), format!("{winget} Python.Python.3.13")],
            ),
        ];
        for (missing, manager, privilege, lists, expected) in table {
            let plan = plan(missing, *manager, *privilege, *lists);
            assert_eq!(&lines(&plan), expected, "{manager:?} for {missing:?}");
        }
    }

    #[test]
    fn what_a_manager_does_not_have_is_named_and_nothing_runs_for_it() {
        let plan = plan(&[Tool::Redis, Tool::Tmux], PackageManager::Winget, Privilege::Own, Lists::Fresh);
        assert_eq!(plan.unavailable, [Tool::Redis, Tool::Tmux], "what is missing must be named");
        assert!(plan.commands.is_empty(), "there is nothing to run: {:?}", plan.commands);
    }

    #[test]
    fn lists_are_renewed_once_at_most() {
        let stale = plan(&[Tool::Node], PackageManager::Apt, Privilege::Own, Lists::Stale);
        assert_eq!(
            (stale.commands.len(), stale.refresh),
            (2, None),
            "renewed first, so not again after a failure"
        );
        let fresh = plan(&[Tool::Node], PackageManager::Apt, Privilege::Own, Lists::Fresh);
        assert!(fresh.refresh.is_some(), "a failure with old lists is worth a second try");
    }

    #[test]
    fn every_tool_of_the_tests_is_known_to_the_managers_of_unix() {
        let everywhere = |tool: &&Tool| {
            // Elsewhere than on Linux they are part of the system, or there is nothing of the kind.
            !matches!(tool, Tool::WebKit | Tool::Screen | Tool::WebKitDriver)
        };
        for manager in PackageManager::ALL.into_iter().filter(|manager| *manager != PackageManager::Winget) {
            for tool in TESTS.iter().filter(everywhere) {
                assert!(!manager.packages(*tool).is_empty(), "{manager:?} has no package of {tool}");
            }
        }
    }
}
