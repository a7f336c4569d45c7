::core::compile_error! {
    "tmux has no variable `pane_titel`: did you mean `pane_title`?"
}
::core::compile_error! {
    "tmux has no variable `window_nmae`: did you mean `window_name`?"
}
#[automatically_derived]
impl<T> ::tmux_cc::__private::FromFormat for Row<T>
where
    T: Send,
{
    const FORMAT: &'static ::core::primitive::str = "";
    const COLUMNS: &'static [::tmux_cc::__private::Column] = &[];
    fn from_fields(
        _: &mut ::tmux_cc::__private::Fields<'_>,
    ) -> ::core::result::Result<Self, ::tmux_cc::__private::RowError> {
        ::core::unimplemented!()
    }
}
