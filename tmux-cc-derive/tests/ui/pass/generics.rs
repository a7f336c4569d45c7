use tmux_cc::format::FromFormat;
use tmux_cc::format::{FromValue, ValueError, rows};

#[derive(FromFormat)]
struct Titled<T>
where
    T: PartialEq,
{
    pane_title: T,
    #[tmux(name = "@extra", default)]
    extra: Vec<u8>,
}

struct Fixed<const N: usize>([u8; N]);

impl<const N: usize> FromValue for Fixed<N> {
    fn from_value(value: &[u8]) -> Result<Self, ValueError> {
        value.try_into().map(Self).map_err(|_| ValueError::wanted("of that length"))
    }
}

#[derive(FromFormat)]
struct Named<const N: usize> {
    session_name: Fixed<N>,
}

fn main() {
    assert!(rows::<Titled<String>>(b"x||\n").unwrap()[0].pane_title == "x");
    assert_eq!(rows::<Named<2>>(b"ab|\n").unwrap()[0].session_name.0, *b"ab");
    assert!(rows::<Named<3>>(b"ab|\n").is_err());
}
