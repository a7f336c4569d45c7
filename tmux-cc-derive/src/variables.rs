//! The format variables of tmux 3.2 to 3.8: every one that some place of it sets.
//!
//! Names that are made at run time have no row: `hook_flag_x` and `hook_argument_0` in a hook, the
//! columns of `list-keys`, options and user options.
//!
//! **Source:** tmux `format.c`, `format_table` and `format_defaults`, and whatever else adds to a format
//! tree; each from the first release since 1.8 that has it. `tests/live/variables.rs` holds it to real
//! servers.

/// One variable.
#[derive(Debug)]
pub(crate) struct Variable {
    pub(crate) name: &'static str,
    pub(crate) kind: Kind,
    pub(crate) since: &'static str,
    pub(crate) until: Option<&'static str>,
    pub(crate) context: Context,
    pub(crate) empty: bool,
    pub(crate) about: &'static str,
}

/// What a variable's value looks like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// `$0`.
    SessionId,
    /// `@0`.
    WindowId,
    /// `%0`.
    PaneId,
    /// `1`, `0` or nothing.
    Flag,
    /// Decimal, not below zero.
    Number,
    /// Decimal, may be below zero.
    Signed,
    /// Seconds since the epoch.
    Time,
    /// A layout.
    Layout,
    /// Anything.
    Text,
}

/// Where a variable is set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Context {
    /// Everywhere.
    Any,
    /// Where there is a session.
    Session,
    /// Where there is a window.
    Window,
    /// Where there is a pane.
    Pane,
    /// Where there is a client.
    Client,
    /// In `list-buffers`, and where there is a buffer.
    Buffer,
    /// Of a pane in copy mode.
    CopyMode,
    /// In what a key of the mouse runs.
    Mouse,
    /// In a hook.
    Hook,
    /// In `list-keys`.
    Key,
    /// In `show-options` and the loops over options, from 3.8; in a file that is sourced.
    Option,
    /// In other lists, and in the loops of formats.
    List,
    /// In the places of menus and popups.
    Popup,
    /// In the lines of tree and customize mode.
    Tree,
    /// In a prompt or a message of the status line.
    Prompt,
}

/// A row each: its name, where it is set, what its value looks like, the first version that has it and
/// the first that has it no more, and what it tells.
macro_rules! variables {
    ($($name:ident: $context:ident $kind:ident $(or $empty:ident)? from $since:literal
        $(until $until:literal)? = $about:literal;)*) => {
        /// All of them, by name.
        pub(crate) static VARIABLES: &[Variable] = &[$(Variable {
            name: stringify!($name),
            kind: Kind::$kind,
            since: $since,
            until: variables!(@until $($until)?),
            context: Context::$context,
            empty: variables!(@empty $($empty)?),
            about: $about,
        }),*];
    };
    (@until) => { None };
    (@until $until:literal) => { Some($until) };
    (@empty) => { false };
    (@empty empty) => { true };
}

variables! {
    active_window_index: Session Number from "3.2" = "index of the session's current window";
    alternate_on: Pane Flag from "1.8" = "the alternate screen is in use";
    alternate_saved_x: Pane Number from "1.8" = "column of the cursor that the alternate screen saved, from 0";
    alternate_saved_y: Pane Number from "1.8" = "row of the cursor that the alternate screen saved, from 0";
    bracket_paste_flag: Pane Flag from "3.7" = "the program has asked for bracketed paste";
    buffer_created: Buffer Time from "2.6" = "when the buffer was made";
    buffer_full: Buffer Text or empty from "3.6" = "everything in the buffer";
    buffer_mode_format: Any Text from "3.2" = "format of a line in buffer mode";
    buffer_name: Buffer Text from "2.0" = "name of the buffer";
    buffer_sample: Buffer Text from "1.8" = "how the buffer begins, escaped";
    buffer_size: Buffer Number from "1.8" = "bytes in the buffer";
    client_activity: Client Time from "1.8" = "when the client sent something last";
    client_cell_height: Client Number or empty from "3.1" = "pixels of a cell's height, 0 where unknown";
    client_cell_width: Client Number or empty from "3.1" = "pixels of a cell's width, 0 where unknown";
    client_colours: Client Number or empty from "3.8" = "colours that the client's terminal has";
    client_control_mode: Client Flag from "2.1" = "it is a control client";
    client_created: Client Time from "1.8" = "when the client came";
    client_discarded: Client Number from "2.5" = "bytes not sent to the client since it was behind";
    client_flags: Client Text from "3.2" = "the client's flags, by commas";
    client_height: Client Number or empty from "1.8" = "rows of the client's terminal";
    client_key_table: Client Text from "2.1" = "the key table that the client's next key is looked up in";
    client_last_session: Client Text or empty from "1.8" = "name of the session that the client showed before";
    client_mode_format: Any Text from "3.2" = "format of a line in client mode";
    client_name: Client Text from "2.4" = "the client's terminal, or client- and its process";
    client_pid: Client Number from "2.1" = "the client's process";
    client_prefix: Client Flag from "1.8" = "the client has pressed the prefix key";
    client_readonly: Client Flag from "1.8" = "the client may only look";
    client_session: Client Text or empty from "1.8" = "name of the session that the client shows";
    client_termfeatures: Client Text or empty from "3.2" = "features of the client's terminal, by commas";
    client_termname: Client Text or empty from "1.8" = "TERM of the client";
    client_termtype: Client Text or empty from "2.4" = "kind of terminal, as it told";
    client_theme: Client Text or empty from "3.6" = "dark or light, where the terminal tells";
    client_tty: Client Text from "1.8" = "path of the client's terminal";
    client_uid: Client Number or empty from "3.3" = "user id of the client's process";
    client_user: Client Text or empty from "3.3" = "user name of the client's process";
    client_utf8: Client Flag from "1.8" = "the client takes UTF-8";
    client_width: Client Number from "1.8" = "columns of the client's terminal";
    client_written: Client Number from "2.4" = "bytes written to the client's terminal";
    clipboard_invalid: Tree Flag from "3.8" = "the clipboard cannot be asked for";
    command: Hook Text or empty from "2.4" = "name of the command that runs";
    command_list_alias: List Text or empty from "2.3" = "alias of a listed command";
    command_list_name: List Text from "2.3" = "name of a listed command";
    command_list_usage: List Text or empty from "2.3" = "arguments of a listed command";
    command_prompt: Prompt Flag from "3.7" = "the prompt is for a command of a mode";
    config_files: Any Text or empty from "3.2" = "files that the server read when it started, by commas";
    copy_cursor_hyperlink: CopyMode Text or empty from "3.5" = "link under the cursor of copy mode";
    copy_cursor_line: CopyMode Text or empty from "3.1" = "the line that the cursor of copy mode is in";
    copy_cursor_word: CopyMode Text or empty from "3.1" = "the word that the cursor of copy mode is in";
    copy_cursor_x: CopyMode Number from "3.1" = "column of copy mode's cursor, from 0";
    copy_cursor_y: CopyMode Number from "3.1" = "row of copy mode's cursor, from 0";
    copy_line_numbers: CopyMode Flag from "3.8" = "copy mode shows line numbers";
    copy_position: CopyMode Number from "3.7" = "line of the history that copy mode is at";
    copy_position_limit: CopyMode Number from "3.7" = "lines that copy mode can go through";
    current_file: Option Text or empty from "3.2" = "file that is being sourced";
    cursor_blinking: Pane Flag from "3.6" = "the cursor blinks";
    cursor_character: Pane Text or empty from "2.9" = "the character under the cursor";
    cursor_colour: Pane Text or empty from "3.6" = "colour of the cursor";
    cursor_flag: Pane Flag from "1.8" = "the cursor shows";
    cursor_shape: Pane Text from "3.6" = "shape of the cursor";
    cursor_very_visible: Pane Flag from "3.6" = "the cursor is very visible";
    cursor_x: Pane Number from "1.8" = "column of the cursor, from 0";
    cursor_y: Pane Number from "1.8" = "row of the cursor, from 0";
    environ_hidden: Option Flag from "3.8" = "the listed variable of an environment is hidden from programs";
    environ_name: Option Text from "3.8" = "name of a listed variable of an environment";
    environ_removed: Option Flag from "3.8" = "the listed variable is taken away from programs";
    environ_value: Option Text or empty from "3.8" = "value of a listed variable of an environment";
    environment_hidden: Tree Flag from "3.8" = "the shown variable of an environment is hidden from programs";
    environment_is_global: Tree Flag from "3.8" = "the shown variable is of the global environment";
    environment_name: Tree Text from "3.8" = "name of the shown variable of an environment";
    environment_removed: Tree Flag from "3.8" = "the shown variable is taken away from programs";
    environment_scope: Tree Text or empty from "3.8" = "whose environment the shown variable is of";
    environment_value: Tree Text or empty from "3.8" = "value of the shown variable";
    history_added: Pane Number from "3.8" = "lines added to the history so far";
    history_all_bytes: Pane Text from "3.2" = "lines and bytes of history and screen, in several numbers";
    history_bytes: Pane Number from "1.8" = "bytes that the history takes up";
    history_collected: Pane Number from "3.8" = "lines dropped from the history so far";
    history_generation: Pane Number from "3.8" = "a count that tells one state of the history from the next";
    history_limit: Pane Number from "1.8" = "lines that the history may have";
    history_size: Pane Number from "1.8" = "lines that the history has";
    hook: Hook Text or empty from "3.2" = "name of the hook that runs";
    hook_arguments: Hook Text or empty from "3.2" = "arguments of the command behind which the hook runs";
    hook_client: Hook Text or empty from "3.3" = "name of the client that the hook is about";
    hook_fire_count: Option Number or empty from "3.8" = "how often the listed hook has run";
    hook_fire_time: Option Time or empty from "3.8" = "when the listed hook ran last";
    hook_monitor_format: Option Text or empty from "3.8" = "format that the listed hook watches";
    hook_monitor_target: Option Text or empty from "3.8" = "what the listed hook watches it of";
    hook_pane: Hook PaneId or empty from "3.2" = "id of the pane that the hook is about";
    hook_session: Hook SessionId or empty from "3.2" = "id of the session that the hook is about";
    hook_session_name: Hook Text or empty from "3.2" = "name of the session that the hook is about";
    hook_window: Hook WindowId or empty from "3.2" = "id of the window that the hook is about";
    hook_window_name: Hook Text or empty from "3.2" = "name of the window that the hook is about";
    host: Any Text from "1.8" = "name of the machine";
    host_short: Any Text from "1.9" = "name of the machine, up to its first dot";
    insert_flag: Pane Flag from "1.8" = "the terminal is in insert mode";
    is_environment: Tree Flag from "3.8" = "the shown line is a variable of an environment";
    is_inside: Mouse Flag from "3.8" = "the mouse is inside of what was clicked";
    is_key: Tree Flag from "3.2" = "the shown line is a key";
    is_option: Tree Flag from "3.2" = "the shown line is an option";
    is_outside: Mouse Flag from "3.8" = "the mouse is outside of what was clicked";
    key: Tree Text or empty from "3.2" = "the shown key";
    key_command: Key Text or empty from "3.7" = "command of the listed key";
    key_has_repeat: Key Flag from "3.7" = "some listed key repeats";
    key_note: Key Text or empty from "3.2" = "note of the listed key";
    key_prefix: Key Text or empty from "3.7" = "prefix shown before the listed key";
    key_repeat: Key Flag from "3.7" = "the listed key repeats";
    key_string: Key Text or empty from "3.7" = "name of the listed key";
    key_string_width: Key Number or empty from "3.7" = "columns of the widest name of a listed key";
    key_table: Key Text or empty from "3.7" = "table of the listed key";
    key_table_width: Key Number or empty from "3.7" = "columns of the widest name of a table";
    keypad_cursor_flag: Pane Flag from "1.8" = "cursor keys are in application mode";
    keypad_flag: Pane Flag from "1.8" = "the keypad is in application mode";
    last_window_index: Session Number from "3.2" = "index of the session's last window, by index";
    line: List Number from "1.8" = "number of the row in a list, from 0";
    loop_index: List Number or empty from "3.8" = "how often a loop of a format went round, from 0";
    loop_last_flag: List Flag from "3.6" = "it is the last round of a loop of a format";
    message: Prompt Text or empty from "3.7" = "text of the message or prompt";
    message_number: List Number from "3.2" = "number of the listed message";
    message_text: List Text or empty from "3.2" = "text of the listed message";
    message_time: List Time from "3.2" = "when the listed message was said";
    mode_tree_branch: Tree Flag from "3.8" = "the shown line is a branch";
    mode_tree_expanded: Tree Flag from "3.8" = "the shown line is unfolded";
    mode_tree_flat: Tree Flag from "3.8" = "the mode has no branches";
    mode_tree_has_children: Tree Flag from "3.8" = "the shown line has lines under it";
    mode_tree_key: Tree Text or empty from "3.8" = "key that jumps to the shown line";
    mode_tree_key_width: Tree Number from "3.8" = "columns of the widest such key";
    mode_tree_last: Tree Flag from "3.8" = "the shown line is the last of its branch";
    mode_tree_parent_last: Tree Flag from "3.8" = "its branch is the last of the one above";
    mode_tree_repeat: Tree Number from "3.8" = "how deep the shown line stands";
    mode_tree_selected: Tree Flag from "3.8" = "the shown line is selected";
    mouse_all_flag: Pane Flag from "2.4" = "the program wants every move of the mouse";
    mouse_any_flag: Pane Flag from "1.8" = "the program wants something of the mouse";
    mouse_button_flag: Pane Flag from "1.8" = "the program wants buttons and moves with a button";
    mouse_hyperlink: Mouse Text or empty from "3.4" = "link under the mouse";
    mouse_line: Mouse Text or empty from "3.0" = "line under the mouse";
    mouse_pane: Mouse PaneId or empty from "3.0" = "id of the pane under the mouse";
    mouse_sgr_flag: Pane Flag from "3.0a" = "the mouse is told in SGR form";
    mouse_standard_flag: Pane Flag from "1.8" = "the program wants buttons of the mouse";
    mouse_status_line: Mouse Number or empty from "3.4" = "which line of the status line is under the mouse";
    mouse_status_range: Mouse Text or empty from "3.4" = "which range of the status line is under the mouse";
    mouse_utf8_flag: Pane Flag from "1.8" = "the mouse is told in UTF-8 form";
    mouse_word: Mouse Text or empty from "3.0" = "word under the mouse";
    mouse_x: Mouse Number or empty from "3.0" = "column of the mouse in its pane";
    mouse_y: Mouse Number or empty from "3.0" = "row of the mouse in its pane";
    next_session_id: Any SessionId from "3.3" = "id that the next session will have";
    notes_only: Key Flag from "3.7" = "only keys with notes are listed";
    option_array_count: Option Number or empty from "3.8" = "how many values the listed option has";
    option_array_first: Option Flag from "3.8" = "it is the first value of its option";
    option_array_index: Option Text or empty from "3.8" = "index of a value of the listed option";
    option_array_key: Option Text or empty from "3.8" = "index of a value of the listed option";
    option_array_last: Option Flag from "3.8" = "it is the last value of its option";
    option_has_array_key: Option Flag from "3.8" = "the listed line has an index";
    option_has_value: Option Flag from "3.8" = "the listed option has a value";
    option_is_array: Option Flag from "3.2" = "the listed option has several values";
    option_is_global: Tree Flag from "3.2" = "the shown option is a global one";
    option_is_hook: Option Flag from "3.8" = "the listed option is a hook";
    option_is_monitor: Tree Flag from "3.8" = "the shown option is a hook that watches a format";
    option_is_parent: Option Flag from "3.8" = "the listed value is inherited";
    option_is_string: Option Flag from "3.8" = "the listed option is text";
    option_is_user: Option Flag from "3.8" = "the listed option is a user option";
    option_monitor: Tree Text or empty from "3.8" = "what the shown hook watches";
    option_name: Option Text or empty from "3.2" = "name of the listed option";
    option_scope: Tree Text or empty from "3.2" = "whose the shown option is";
    option_unit: Tree Text or empty from "3.2" = "unit of the shown option";
    option_value: Option Text or empty from "3.2" = "value of the listed option";
    option_value_only: Option Flag from "3.8" = "only values are listed";
    origin_flag: Pane Flag from "3.0a" = "the cursor counts from the scroll region";
    pane_active: Pane Flag from "1.8" = "it is the window's active pane";
    pane_at_bottom: Pane Flag from "2.6" = "it touches the window's bottom edge";
    pane_at_left: Pane Flag from "2.6" = "it touches the window's left edge";
    pane_at_right: Pane Flag from "2.6" = "it touches the window's right edge";
    pane_at_top: Pane Flag from "2.6" = "it touches the window's top edge";
    pane_bg: Pane Text from "3.2" = "background colour of the pane";
    pane_bottom: Pane Signed from "2.0" = "lowest row of the pane in its window";
    pane_command_duration: Pane Number or empty from "3.8" = "seconds that the last command at a prompt took";
    pane_command_end_time: Pane Time or empty from "3.8" = "when the last command at a prompt ended";
    pane_command_running: Pane Flag from "3.8" = "a command that was typed at a prompt runs";
    pane_command_start_time: Pane Time or empty from "3.8" = "when the last command at a prompt began";
    pane_command_status: Pane Number or empty from "3.8" = "exit status of the last command at a prompt";
    pane_current_command: Pane Text from "1.8" = "name of the program in the foreground";
    pane_current_path: Pane Text from "1.8" = "directory of the program in the foreground";
    pane_dead: Pane Flag from "1.8" = "the program has ended, and the pane was kept";
    pane_dead_signal: Pane Text or empty from "3.3" = "signal that the program died of: a number, or a name";
    pane_dead_status: Pane Number or empty from "2.0" = "exit status of the program";
    pane_dead_time: Pane Time or empty from "3.3" = "when the program ended";
    pane_fg: Pane Text from "3.2" = "foreground colour of the pane";
    pane_flags: Pane Text or empty from "3.7" = "flags of the pane, a letter each";
    pane_floating_flag: Pane Flag from "3.7" = "the pane floats";
    pane_format: List Flag from "2.6" = "the format is expanded for a pane";
    pane_height: Pane Number from "1.8" = "rows of the pane";
    pane_id: Pane PaneId from "1.8" = "id of the pane";
    pane_in_mode: Pane Number from "1.8" = "how many modes lie over the pane";
    pane_index: Pane Number from "1.8" = "index of the pane in its window";
    pane_input_off: Pane Flag from "2.0" = "the pane takes no input";
    pane_key_mode: Pane Text from "3.5" = "how modified keys are told to the program";
    pane_last: Pane Flag from "3.2" = "it was the active pane before";
    pane_last_output_time: Pane Time or empty from "3.8" = "when the pane printed last";
    pane_last_prompt_time: Pane Time or empty from "3.8" = "when the pane showed a prompt last";
    pane_left: Pane Signed from "2.0" = "leftmost column of the pane in its window";
    pane_marked: Pane Flag from "3.0" = "it is the marked pane";
    pane_marked_set: Pane Flag from "3.0" = "some pane is marked";
    pane_modal_flag: Pane Flag from "3.8" = "the pane takes all input of its window";
    pane_mode: Pane Text or empty from "2.5" = "name of the uppermost mode";
    pane_output_generation: Pane Number from "3.8" = "a count that tells one state of the pane's output from the next";
    pane_path: Pane Text or empty from "3.1" = "directory that the program has told";
    pane_pb_progress: Pane Number or empty from "3.7" = "percent of the program's progress bar";
    pane_pb_state: Pane Text or empty from "3.7" = "state of the program's progress bar";
    pane_pid: Pane Number or empty from "1.8" = "first process of the pane";
    pane_pipe: Pane Flag from "2.6" = "the pane has a pipe";
    pane_pipe_pid: Pane Number or empty from "3.7" = "process of the pane's pipe";
    pane_private_modes: Pane Text or empty from "3.8" = "private modes that are on, by commas";
    pane_right: Pane Signed from "2.0" = "rightmost column of the pane in its window";
    pane_search_string: Pane Text or empty from "2.5" = "what copy mode searched for last";
    pane_start_command: Pane Text or empty from "1.8" = "command that the pane was started with";
    pane_start_command_list: Pane Text or empty from "3.8" = "the same, word by word";
    pane_start_path: Pane Text or empty from "1.8" = "directory that the pane was started in";
    pane_synchronized: Pane Flag from "1.9" = "its input goes to all panes of the window";
    pane_tabs: Pane Text or empty from "1.8" = "columns of tab stops, by commas";
    pane_title: Pane Text or empty from "1.8" = "title, as the program set it";
    pane_top: Pane Signed from "2.0" = "topmost row of the pane in its window";
    pane_tty: Pane Text or empty from "1.8" = "path of the pane's terminal";
    pane_unseen_changes: Pane Flag from "3.4" = "it printed while a mode lay over it";
    pane_unzoomed_height: Pane Number or empty from "3.8" = "rows that the pane has when none is zoomed";
    pane_unzoomed_width: Pane Number or empty from "3.8" = "columns that the pane has when none is zoomed";
    pane_width: Pane Number from "1.8" = "columns of the pane";
    pane_x: Pane Signed from "3.7" = "leftmost column of the pane, border and all";
    pane_y: Pane Signed from "3.7" = "topmost row of the pane, border and all";
    pane_z: Pane Number or empty from "3.7" = "how many panes lie over the pane";
    pane_zoomed_flag: Pane Flag from "3.7" = "the pane is zoomed";
    pid: Any Number from "2.1" = "process of the server";
    popup_centre_x: Popup Signed from "3.2" = "column that centres a menu or popup";
    popup_centre_y: Popup Signed from "3.2" = "row that centres a menu or popup";
    popup_height: Popup Number from "3.2" = "rows of a menu or popup";
    popup_last_x: Popup Signed or empty from "3.8" = "column where a menu or popup was last";
    popup_last_y: Popup Signed or empty from "3.8" = "row where a menu or popup was last";
    popup_mouse_bottom: Popup Signed or empty from "3.2" = "row that puts it above the mouse";
    popup_mouse_centre_x: Popup Signed or empty from "3.2" = "column that centres it at the mouse";
    popup_mouse_centre_y: Popup Signed or empty from "3.2" = "row that centres it at the mouse";
    popup_mouse_top: Popup Signed or empty from "3.2" = "row that puts it below the mouse";
    popup_mouse_x: Popup Signed or empty from "3.2" = "column of the mouse";
    popup_mouse_y: Popup Signed or empty from "3.2" = "row of the mouse";
    popup_pane_bottom: Popup Signed from "3.2" = "row of the pane's bottom";
    popup_pane_left: Popup Signed from "3.2" = "column of the pane's left";
    popup_pane_right: Popup Signed from "3.2" = "column of the pane's right";
    popup_pane_top: Popup Signed from "3.2" = "row of the pane's top";
    popup_status_line_y: Popup Signed or empty from "3.2" = "row above or below the status line";
    popup_width: Popup Number from "3.2" = "columns of a menu or popup";
    popup_window_status_line_x: Popup Signed or empty from "3.2" = "column of the window in the status line";
    popup_window_status_line_y: Popup Signed or empty from "3.2" = "row at the window in the status line";
    prompt_flags: Prompt Text or empty from "3.8" = "flags of the prompt";
    prompt_input: Prompt Text or empty from "3.8" = "what was typed into the prompt";
    prompt_type: Prompt Text or empty from "3.8" = "kind of prompt";
    rectangle_toggle: CopyMode Flag from "2.8" = "the selection is a rectangle";
    refresh_active: CopyMode Flag from "3.8" = "copy mode follows the pane";
    scroll_position: CopyMode Number from "2.2" = "lines that copy mode is scrolled up";
    scroll_region_lower: Pane Number from "1.8" = "last row of the scroll region";
    scroll_region_upper: Pane Number from "1.8" = "first row of the scroll region";
    search_count: CopyMode Signed or empty from "3.5" = "matches of the search, where counted";
    search_count_partial: CopyMode Flag from "3.5" = "only some matches were counted";
    search_match: CopyMode Text or empty from "3.2" = "the match under copy mode's cursor";
    search_present: CopyMode Flag from "3.2" = "there is a search";
    search_timed_out: CopyMode Flag from "3.6" = "the search took too long";
    selection_active: CopyMode Flag from "3.1a" = "the selection follows the cursor";
    selection_end_x: CopyMode Number or empty from "3.1" = "column where the selection ends";
    selection_end_y: CopyMode Number or empty from "3.1" = "row where the selection ends";
    selection_mode: CopyMode Text or empty from "3.7" = "char, word or line";
    selection_present: CopyMode Flag from "2.6" = "there is a selection";
    selection_start_x: CopyMode Number or empty from "3.1" = "column where the selection begins";
    selection_start_y: CopyMode Number or empty from "3.1" = "row where the selection begins";
    server_sessions: Any Number from "3.4" = "how many sessions there are";
    session_active: Session Flag from "3.6" = "the client shows this session";
    session_activity: Session Time from "2.1" = "when a client of it sent something last";
    session_activity_flag: Session Flag from "3.6" = "some window has told of activity";
    session_alert: Session Text or empty from "3.6" = "alerts of the session, a letter each";
    session_alerts: Session Text or empty from "2.1" = "windows with alerts, by commas";
    session_attached: Session Number from "1.8" = "how many clients show it";
    session_attached_list: Session Text or empty from "3.1" = "names of these clients, by commas";
    session_bell_flag: Session Flag from "3.6" = "some window has rung its bell";
    session_created: Session Time from "1.8" = "when the session was made";
    session_format: List Flag from "2.6" = "the format is expanded for a session";
    session_group: Session Text or empty from "1.8" = "name of the session's group";
    session_group_attached: Session Number or empty from "3.1" = "how many clients show sessions of the group";
    session_group_attached_list: Session Text or empty from "3.1" = "names of these clients, by commas";
    session_group_list: Session Text or empty from "2.7" = "names of the group's sessions, by commas";
    session_group_many_attached: Session Flag from "3.1" = "several clients show sessions of the group";
    session_group_size: Session Number or empty from "2.7" = "how many sessions the group has";
    session_grouped: Session Flag from "1.8" = "the session is in a group";
    session_id: Session SessionId from "1.8" = "id of the session";
    session_last_attached: Session Time or empty from "2.1" = "when a client came to it last";
    session_many_attached: Session Flag from "2.0" = "several clients show it";
    session_marked: Session Flag from "3.2" = "the marked pane is in it";
    session_name: Session Text from "1.8" = "name of the session";
    session_path: Session Text or empty from "3.2" = "directory for new windows";
    session_silence_flag: Session Flag from "3.6" = "some window has been silent";
    session_stack: Session Text or empty from "2.5" = "indexes of its windows, the latest first";
    session_windows: Session Number from "1.8" = "how many windows it has";
    sixel_support: Any Flag from "3.6" = "the server was built for sixel pictures";
    socket_path: Any Text from "2.2" = "path of the server's socket";
    start_time: Any Time from "2.2" = "when the server was started";
    synchronized_output_flag: Pane Flag from "3.7" = "the program holds back its output";
    top_line_time: CopyMode Number or empty from "3.6" = "when the topmost line was printed, in seconds since the epoch";
    tree_mode_format: Any Text from "3.2" = "format of a line in tree mode";
    uid: Any Number from "3.3" = "user id of the server";
    user: Any Text or empty from "3.3" = "user name of the server";
    version: Any Text from "2.4" = "version of the server";
    window_active: Window Flag from "1.8" = "it is the session's current window";
    window_active_clients: Window Number from "3.1" = "how many clients show it";
    window_active_clients_list: Window Text or empty from "3.1" = "names of these clients, by commas";
    window_active_sessions: Window Number from "3.1" = "in how many sessions it is the current window";
    window_active_sessions_list: Window Text or empty from "3.1" = "names of these sessions, by commas";
    window_activity: Window Time from "2.1" = "when one of its panes printed last";
    window_activity_flag: Window Flag from "1.9" = "it has told of activity";
    window_after_active: List Flag from "3.7" = "it stands behind the current window in a loop";
    window_before_active: List Flag from "3.7" = "it stands before the current window in a loop";
    window_bell_flag: Window Flag from "1.9" = "it has rung its bell";
    window_bigger: Window Flag from "2.9" = "it is larger than the client";
    window_cell_height: Window Number from "3.1" = "pixels of a cell's height";
    window_cell_width: Window Number from "3.1" = "pixels of a cell's width";
    window_end_flag: Window Flag from "2.9" = "it has the highest index";
    window_flags: Window Text or empty from "1.8" = "flags of the window, with # doubled";
    window_format: List Flag from "2.6" = "the format is expanded for a window";
    window_height: Window Number from "1.8" = "rows of the window";
    window_id: Window WindowId from "1.8" = "id of the window";
    window_index: Window Number from "1.8" = "index of the window in its session";
    window_last_flag: Window Flag from "2.0" = "it was the current window before";
    window_layout: Window Layout or empty from "1.8" = "all its panes, also where one is zoomed";
    window_linked: Window Flag from "2.1" = "it is in several sessions";
    window_linked_sessions: Window Number from "3.1" = "in how many sessions it is";
    window_linked_sessions_list: Window Text or empty from "3.1" = "names of these sessions, by commas";
    window_manual_height: Window Number or empty from "3.8" = "rows that were set by hand";
    window_manual_width: Window Number or empty from "3.8" = "columns that were set by hand";
    window_marked_flag: Window Flag from "3.1" = "the marked pane is in it";
    window_modal_pane: Window PaneId or empty from "3.8" = "id of the pane that takes all its input";
    window_name: Window Text or empty from "1.8" = "name of the window";
    window_offset_x: Window Number or empty from "2.9" = "columns that the client does not show at the left";
    window_offset_y: Window Number or empty from "2.9" = "rows that the client does not show at the top";
    window_panes: Window Number from "1.8" = "how many panes it has";
    window_raw_flags: Window Text or empty from "3.2" = "flags of the window";
    window_silence_flag: Window Flag from "1.9" = "it has been silent";
    window_stack_index: Window Number from "2.5" = "how long ago it was the current window, 0 for now";
    window_start_flag: Window Flag from "2.9" = "it has the lowest index";
    window_visible_layout: Window Layout or empty from "2.2" = "the panes that show";
    window_width: Window Number from "1.8" = "columns of the window";
    window_zoomed_flag: Window Flag from "2.0" = "one of its panes is zoomed";
    wrap_flag: Pane Flag from "1.8" = "long lines wrap";
}

/// The variable of that name.
pub(crate) fn find(name: &str) -> Option<&'static Variable> {
    let at = VARIABLES.binary_search_by(|variable| variable.name.cmp(name));
    at.ok().and_then(|at| VARIABLES.get(at))
}

/// The variable that was meant by a name that is none, if it is clear.
pub(crate) fn nearest(name: &str) -> Option<&'static str> {
    let most = if name.len() < 5 { 1 } else { 2 };
    let near = VARIABLES
        .iter()
        .map(|variable| (distance(name, variable.name), variable.name))
        .min()?;
    (near.0 <= most).then_some(near.1)
}

/// How many letters differ.
fn distance(a: &str, b: &str) -> usize {
    let mut last: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.bytes().enumerate() {
        let mut row = vec![i + 1];
        for (j, y) in b.bytes().enumerate() {
            let at = |row: &[usize], j: usize| row.get(j).copied().unwrap_or_default();
            let change = at(&last, j) + usize::from(x != y);
            row.push(change.min(at(&last, j + 1) + 1).min(at(&row, j) + 1));
        }
        last = row;
    }
    last.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::version::Version;

    #[test]
    fn the_table_is_in_order_and_whole() {
        assert!(VARIABLES.windows(2).all(|two| two[0].name < two[1].name));
        for variable in VARIABLES {
            let name = variable.name;
            let since = Version::parse(variable.since);
            assert!(since.is_some(), "{name}: {}", variable.since);
            if let Some(until) = variable.until {
                assert!(Version::parse(until) > since, "{name} until {until}");
            }
            let about = variable.about;
            assert!((5..=70).contains(&about.len()), "{name}: {about}");
            assert!(!about.ends_with('.'), "{name}: {about}");
        }
    }
}
