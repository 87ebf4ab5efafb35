// SPDX-License-Identifier: MIT
//
// Owns the menu on the screen: colours of the paints, which glyphs this console can show, and that
// only rows are drawn that changed (a serial line is slow). How it looks is menu_rows.
#pragma once

#include "efi/base/page_list.h"
#include "loader/menu_rows.h"

namespace keelson::loader {

class MenuView {
 public:
  explicit MenuView(efi::Console& console);

  // Draws what differs from what was drawn before. A screen that fails shows less; nothing follows
  // from that.
  void draw(const Menu& menu);
  // The screen holds something else now: clear it, and draw everything next time.
  void forget();
  std::size_t page_rows() const { return page_rows_; }

 private:
  void draw_row(const Row& row, std::size_t number, bool last);

  efi::Console& console_;
  Glyphs glyphs_;
  efi::Cells screen_;
  PageList<std::uint64_t> drawn_;  // a number for the content of each row; empty: nothing is known
  std::size_t page_rows_ = 1;
  bool cleared_ = false;
};

}  // namespace keelson::loader
