#[automatically_derived]
impl ::tmux_cc::__private::FromFormat for Row {
    const FORMAT: &'static ::core::primitive::str = "#{pane_id}|#{q:@prio}|#{s/[\\|$]/\\\\\\0/:#{l:}#{?pane_active,a|b,c\\d}}|#{q:destroy_unattached}|#{pane_dead_time}|#{q:pane_mood}|";
    const COLUMNS: &'static [::tmux_cc::__private::Column] = &[
        ::tmux_cc::__private::Column::new("type", "pane_id"),
        ::tmux_cc::__private::Column::new("prio", "@prio"),
        ::tmux_cc::__private::Column::new("shown", "#{?pane_active,a|b,c\\d}"),
        ::tmux_cc::__private::Column::new(
            "destroy_unattached",
            "destroy_unattached",
        ),
        ::tmux_cc::__private::Column::new("pane_dead_time", "pane_dead_time")
            .since(::tmux_cc::__private::Version::new(3u16, 3u16))
            .optional(),
        ::tmux_cc::__private::Column::new("pane_mood", "pane_mood")
            .since(::tmux_cc::__private::Version::new(3u16, 9u16))
            .optional(),
    ];
    fn from_fields(
        fields: &mut ::tmux_cc::__private::Fields<'_>,
    ) -> ::core::result::Result<Self, ::tmux_cc::__private::RowError> {
        ::core::result::Result::Ok(Self {
            r#type: fields.take::<PaneId>("pane_id")?,
            prio: fields.take_or_default::<u32>("@prio")?,
            shown: fields.take::<String>("#{?pane_active,a|b,c\\d}")?,
            destroy_unattached: fields.take::<Vec<u8>>("destroy_unattached")?,
            pane_dead_time: fields
                .take::<Option<std::time::SystemTime>>("pane_dead_time")?,
            pane_mood: fields.take::<Option<String>>("pane_mood")?,
        })
    }
}
