// SPDX-License-Identifier: MIT
//
// Drives the menu: one key or one second at a time.
#include "loader/choose.h"

#include "efi/firmware/system.h"
#include "loader/console_mode.h"
#include "loader/menu_view.h"
#include "loader/status_page.h"

namespace keelson::loader {
namespace {

// The menu while it is on the screen.
struct Session {
  const Machine& machine;
  Facts& facts;
  Menu& menu;
  MenuView view;
  // The status page.
  TextArena page_texts = {};
  PageList<std::u16string_view> page_lines = {};
  // LoaderConfigConsoleMode as keys want it; outer nullopt: as it is.
  std::optional<std::optional<std::uint32_t>> console_mode = std::nullopt;
};

Choice choice_of(const Entry& entry, std::size_t index) {
  switch (entry.kind) {
    case EntryKind::reboot_to_firmware:
      return {.what = Choice::What::firmware_setup, .entry = index};
    case EntryKind::power_off: return {.what = Choice::What::power_off, .entry = index};
    case EntryKind::reboot: return {.what = Choice::What::reboot, .entry = index};
    case EntryKind::linux:
    case EntryKind::efi:
    case EntryKind::uki:
    case EntryKind::type2: break;
  }
  return {.what = Choice::What::start, .entry = index};
}

Choice at_zero(const Session& session) {
  if (session.menu.setup().at_zero == AtZero::leave)
    return {.what = Choice::What::leave_at_zero};
  return choice_of(session.menu.entry(), session.menu.highlighted());
}

void begin_editing(Session& session) {
  const std::size_t size = session.menu.entry().options.size() + LineEditor::spare;
  const auto room = session.facts.texts.reserve_utf16(size + 1);  // and a NUL
  if (room.has_value())
    session.menu.begin_editing(room->first(size));
  else
    session.menu.say("There is not enough memory to edit.");
}

void show_status(Session& session) {
  session.page_lines.clear();
  session.page_texts = TextArena();
  const std::size_t columns = session.machine.console.size().columns;
  const auto composed =
      compose_status_page(session.machine, session.facts, session.menu.highlighted(),
                          columns > 4 ? columns - 4 : columns, session.page_texts,
                          session.page_lines);
  proceed_despite(composed, "the page ends early");
  session.menu.show_status(session.page_lines.items());
}

void next_console_mode(Session& session) {
  const auto mode = switch_to_next_mode(session.machine.console);
  session.view.forget();
  if (!mode) {
    session.menu.say("This screen has no other mode.");
    return;
  }
  session.console_mode = mode;
  const efi::Cells cells = session.machine.console.size();
  session.menu.say("Console mode ", *mode, ": ", cells.columns, "x", cells.rows);
}

void reset_console_mode(Session& session) {
  session.console_mode = std::optional<std::uint32_t>();
  apply_console_mode(session.machine.console, session.facts.conf.console_mode);
  session.view.forget();
  session.menu.say("Console mode: as loader.conf says.");
}

// nullopt: the menu goes on.
std::optional<Choice> carry_out(Session& session, MenuRequest request) {
  switch (request) {
    case MenuRequest::none: break;
    case MenuRequest::start: {
      Choice choice = choice_of(session.menu.entry(), session.menu.highlighted());
      choice.edited = session.menu.edited();
      return choice;
    }
    case MenuRequest::power_off: return Choice{.what = Choice::What::power_off};
    case MenuRequest::reboot: return Choice{.what = Choice::What::reboot};
    case MenuRequest::firmware_setup: return Choice{.what = Choice::What::firmware_setup};
    case MenuRequest::leave: return Choice{.what = Choice::What::leave};
    case MenuRequest::redraw: session.view.forget(); break;
    case MenuRequest::next_console_mode: next_console_mode(session); break;
    case MenuRequest::reset_console_mode: reset_console_mode(session); break;
    case MenuRequest::status_page: show_status(session); break;
    case MenuRequest::edit: begin_editing(session); break;
  }
  return std::nullopt;
}

// One second without keys.
Result<std::optional<efi::KeyPress>> pass_a_second() {
  efi::rearm_watchdog();
  efi::stall_us(1'000'000);
  return std::nullopt;
}

Result<std::optional<efi::KeyPress>> wait_for_event(const Session& session) {
  if (!session.menu.setup().keys) return pass_a_second();
  if (session.menu.countdown_s()) return session.machine.console.wait_key(1000);
  return TRY(session.machine.console.wait_key());
}

// nullopt: the menu goes on. A keyboard or timer that fails is as the end of the countdown.
std::optional<Choice> step(Session& session) {
  session.view.draw(session.menu);
  const auto key = wait_for_event(session);
  if (!key.has_value()) {
    session.machine.log.warn("the menu ends, keys cannot be read: ", key.error());
    return at_zero(session);
  }
  if (*key) return carry_out(session, session.menu.press(**key, session.view.page_rows()));
  if (session.menu.tick()) return at_zero(session);
  return std::nullopt;
}

// Once, on leaving.
void write_changes(Session& session) {
  write_settings(session.machine, session.facts.settings, session.menu.settings(),
                 session.facts.list.entries(), session.facts.wishes.sources);
  session.facts.settings = session.menu.settings();
  if (session.console_mode) {
    session.facts.wishes.console_mode = *session.console_mode;
    write_console_mode(session.machine, *session.console_mode);
  }
}

MenuSetup setup_of(const Facts& facts, const Question& question) {
  return {.entries = facts.list.entries(),
          .states = facts.states.items(),
          .highlighted = question.highlighted,
          .countdown_s = question.countdown_s,
          .at_zero = question.at_zero,
          .keys = question.keys,
          .editor = facts.conf.editor,
          .secure_boot = facts.secure_boot,
          .firmware_setup = facts.firmware_setup,
          .notice = question.notice.text(),
          .settings = facts.settings};
}

ConsoleMode wanted_mode(const Facts& facts) {
  if (!facts.wishes.console_mode) return facts.conf.console_mode;
  return {.choice = ConsoleMode::Choice::number, .number = *facts.wishes.console_mode};
}

Choice ask(const Machine& machine, Facts& facts, const Question& question) {
  publish_time(machine, loader_interface::time_menu);
  apply_console_mode(machine.console, wanted_mode(facts));
  Menu menu(setup_of(facts, question));
  Session session{.machine = machine, .facts = facts, .menu = menu, .view = MenuView(machine.console)};
  std::optional<Choice> choice;
  while (!choice) choice = step(session);
  machine.console.clear();
  write_changes(session);
  machine.times.mark("loader-menu");
  return *choice;
}

// A key that is already there opens the menu, or starts the entry it belongs to.
Choice start_or_ask(const Machine& machine, Facts& facts, const Question& question) {
  const auto key = machine.console.poll_key();
  if (!key.has_value())
    machine.log.warn("keys cannot be read: ", key.error());
  else if (*key) {
    const auto entry = entry_of_hot_key(facts.list.entries(), **key);
    if (entry) return choice_of(facts.list.entries()[*entry], *entry);
    return ask(machine, facts, question);
  }
  Choice choice =
      choice_of(facts.list.entries()[question.highlighted], question.highlighted);
  choice.by_itself = true;
  return choice;
}

}  // namespace

Choice choose(const Machine& machine, Facts& facts, const Question& question) {
  switch (question.opening) {
    case Opening::menu: return ask(machine, facts, question);
    case Opening::look_for_key: return start_or_ask(machine, facts, question);
    case Opening::straight: break;
  }
  return choice_of(facts.list.entries()[question.highlighted], question.highlighted);
}

bool wait(const Machine& machine, std::uint32_t seconds, bool keys) {
  if (!keys) {
    for (std::uint32_t second = 0; second < seconds; ++second)
      proceed_despite(pass_a_second(), "cannot fail");
    return false;
  }
  machine.console.drain_keys();
  const auto key = machine.console.wait_key(std::uint64_t{seconds} * 1000);
  return key.has_value() && key->has_value();
}

}  // namespace keelson::loader
