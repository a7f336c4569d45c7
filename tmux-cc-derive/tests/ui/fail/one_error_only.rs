use tmux_cc::format::FromFormat;

#[derive(FromFormat)]
struct Row {
    pane_titel: Vec<u8>,
}

fn needs<T: FromFormat>() {
    println!("{}", T::FORMAT);
}

fn used() {
    needs::<Row>();
}

fn main() {}
