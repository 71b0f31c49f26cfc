//! The tray icon and its menu. Both must be made and changed on the thread that made them, which is the main one.
//!
//! Without a session bus the icon cannot be made, and everything works without it. With a bus but no panel, it shows as
//! soon as a panel starts or restarts.

use std::collections::HashMap;

use blink_proto::status::Status;
use tray_icon::{
    Icon, TrayIcon, TrayIconBuilder,
    menu::{CheckMenuItem, IsMenuItem, Menu, MenuId, MenuItem, PredefinedMenuItem},
};

use super::{
    icon::{self, Look},
    menu::{self, Item, Line},
};

pub(super) struct Tray {
    icon: TrayIcon,
    look: Option<Look>,
    tooltip: String,
    lines: Vec<Line>,
    items: HashMap<MenuId, Item>,
}

impl Tray {
    pub(super) fn new() -> Result<Self, String> {
        let icon = TrayIconBuilder::new()
            .with_id("blinkd")
            .with_title("blinkd")
            .with_menu_on_left_click(false)
            .with_menu(Box::new(Menu::new()))
            .build()
            .map_err(|error| error.to_string())?;
        Ok(Self { icon, look: None, tooltip: String::new(), lines: Vec::new(), items: HashMap::new() })
    }

    /// The item that a click on the menu's `id` means.
    #[must_use]
    pub(super) fn item(&self, id: &MenuId) -> Option<Item> {
        self.items.get(id).copied()
    }

    /// Shows `status`. Unchanged parts are left alone, so that an open menu stays open.
    pub(super) fn show(&mut self, status: &Status) {
        let look = Look::from_state(status.state);
        if self.look != Some(look) {
            let drawn = Icon::from_rgba(icon::draw(look), icon::SIZE, icon::SIZE).ok();
            if let Err(error) = self.icon.set_icon(drawn) {
                tracing::debug!(%error, "the tray icon cannot be changed");
            }
            self.look = Some(look);
        }
        let tooltip = menu::tooltip(status);
        if self.tooltip != tooltip {
            let _ = self.icon.set_tooltip(Some(&tooltip));
            self.tooltip = tooltip;
        }
        let lines = menu::lines(status);
        if self.lines != lines {
            self.fill(&lines);
            self.lines = lines;
        }
    }

    fn fill(&mut self, lines: &[Line]) {
        let menu = Menu::new();
        self.items.clear();
        for (place, line) in lines.iter().enumerate() {
            // Each position keeps its id, because some hosts cache items.
            let id = MenuId::new(place.to_string());
            let made: Box<dyn IsMenuItem> = match line {
                Line::Text(text) => Box::new(MenuItem::with_id(id, text, false, None)),
                Line::Separator => Box::new(PredefinedMenuItem::separator()),
                Line::Item { item, label, enabled, checked } => {
                    self.items.insert(id.clone(), *item);
                    match checked {
                        Some(checked) => Box::new(CheckMenuItem::with_id(id, label, *enabled, *checked, None)),
                        None => Box::new(MenuItem::with_id(id, label, *enabled, None)),
                    }
                }
            };
            if let Err(error) = menu.append(made.as_ref()) {
                tracing::debug!(%error, "a menu item cannot be shown");
            }
        }
        self.icon.set_menu(Some(Box::new(menu)));
    }
}
