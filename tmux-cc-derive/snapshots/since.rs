#[automatically_derived]
impl ::tmux_cc::__private::FromFormat for Row {
    const FORMAT: &'static ::core::primitive::str = "#{pane_pipe_pid}|#{pane_id}|";
    const COLUMNS: &'static [::tmux_cc::__private::Column] = &[
        ::tmux_cc::__private::Column::new("pane_pipe_pid", "pane_pipe_pid")
            .since(::tmux_cc::__private::Version::new(3u16, 7u16)),
        ::tmux_cc::__private::Column::new("pane_id", "pane_id"),
    ];
    const SINCE: ::tmux_cc::__private::Version = ::tmux_cc::__private::Version::new(
        3u16,
        7u16,
    );
    fn from_fields(
        fields: &mut ::tmux_cc::__private::Fields<'_>,
    ) -> ::core::result::Result<Self, ::tmux_cc::__private::RowError> {
        ::core::result::Result::Ok(Self {
            pane_pipe_pid: fields.take::<Option<u32>>("pane_pipe_pid")?,
            pane_id: fields.take::<PaneId>("pane_id")?,
        })
    }
}
