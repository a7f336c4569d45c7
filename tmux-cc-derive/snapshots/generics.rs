#[automatically_derived]
impl<T: Clone, const N: usize> ::tmux_cc::__private::FromFormat for Row<T, N>
where
    T: Send,
    T: ::tmux_cc::__private::FromValue,
    Own<N>: ::tmux_cc::__private::FromValue,
    Own<N>: ::core::default::Default,
{
    const FORMAT: &'static ::core::primitive::str = "#{q:pane_title}|#{q:@x}|#{pane_id}|";
    const COLUMNS: &'static [::tmux_cc::__private::Column] = &[
        ::tmux_cc::__private::Column::new("pane_title", "pane_title"),
        ::tmux_cc::__private::Column::new("x", "@x"),
        ::tmux_cc::__private::Column::new("pane_id", "pane_id"),
    ];
    fn from_fields(
        fields: &mut ::tmux_cc::__private::Fields<'_>,
    ) -> ::core::result::Result<Self, ::tmux_cc::__private::RowError> {
        ::core::result::Result::Ok(Self {
            pane_title: fields.take::<T>("pane_title")?,
            x: fields.take_or_default::<Own<N>>("@x")?,
            pane_id: fields.take::<PaneId>("pane_id")?,
        })
    }
}
