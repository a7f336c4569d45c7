#[automatically_derived]
impl ::tmux_cc::__private::FromFormat for Row {
    const FORMAT: &'static ::core::primitive::str = "#{pane_id}|#{pane_dead}|#{pane_left}|#{session_created}|#{q:pane_title}|#{q:window_layout}|#{pane_dead_status}|";
    const COLUMNS: &'static [::tmux_cc::__private::Column] = &[
        ::tmux_cc::__private::Column::new("pane_id", "pane_id"),
        ::tmux_cc::__private::Column::new("pane_dead", "pane_dead"),
        ::tmux_cc::__private::Column::new("pane_left", "pane_left"),
        ::tmux_cc::__private::Column::new("session_created", "session_created"),
        ::tmux_cc::__private::Column::new("pane_title", "pane_title"),
        ::tmux_cc::__private::Column::new("window_layout", "window_layout"),
        ::tmux_cc::__private::Column::new("pane_dead_status", "pane_dead_status"),
    ];
    fn from_fields(
        fields: &mut ::tmux_cc::__private::Fields<'_>,
    ) -> ::core::result::Result<Self, ::tmux_cc::__private::RowError> {
        ::core::result::Result::Ok(Self {
            pane_id: fields.take::<PaneId>("pane_id")?,
            pane_dead: fields.take::<bool>("pane_dead")?,
            pane_left: fields.take::<i32>("pane_left")?,
            session_created: fields.take::<SystemTime>("session_created")?,
            pane_title: fields.take::<Vec<u8>>("pane_title")?,
            window_layout: fields.take::<Box<[u8]>>("window_layout")?,
            pane_dead_status: fields.take::<Option<u8>>("pane_dead_status")?,
        })
    }
}
