//! Draws a graph in text: a line for each node, edges as lanes to its left.
//!
//! ```text
//! ● quakes        LocalFile source
//! ├─╮
//! ● │ parquet     LocalFile sink
//!   ● console     Console sink
//! ```

/// A node, in topological order.
pub struct Vertex {
    /// Numbers of the nodes it reads from.
    pub inputs: Vec<usize>,
    /// What is written beside its mark.
    pub title: String,
    /// What is written below it.
    pub details: Vec<String>,
}

/// Draws the nodes, inputs before their readers.
#[must_use]
pub fn draw(vertices: &[Vertex]) -> String {
    let mut drawing = Drawing::default();
    for (number, vertex) in vertices.iter().enumerate() {
        let column = drawing.arrive(number);
        drawing.line(Some(column), &vertex.title);
        let mut readers = readers_of(vertices, number);
        drawing.lanes[column] = if readers.is_empty() { None } else { Some(readers.remove(0)) };
        for detail in &vertex.details {
            drawing.line(None, &format!("  {detail}"));
        }
        drawing.split(column, readers);
    }
    drawing.text
}

/// The readers of a node, once for each input that reads it.
fn readers_of(vertices: &[Vertex], number: usize) -> Vec<usize> {
    let mut readers = Vec::new();
    for (reader, vertex) in vertices.iter().enumerate() {
        readers.extend(vertex.inputs.iter().filter(|&&input| input == number).map(|_| reader));
    }
    readers
}

#[derive(Default)]
struct Drawing {
    /// By column, the node that the edge in it leads to.
    lanes: Vec<Option<usize>>,
    text: String,
}

impl Drawing {
    /// Brings the edges that lead to a node together in one column and gives it.
    fn arrive(&mut self, node: usize) -> usize {
        let leading = self.columns_to(node);
        let Some((&first, others)) = leading.split_first() else { return self.free_column() };
        for &other in others {
            self.bend(first, other, '╯');
            self.lanes[other] = None;
        }
        first
    }

    /// Starts further edges from a node.
    fn split(&mut self, column: usize, readers: Vec<usize>) {
        for reader in readers {
            let other = self.free_column_after(column);
            self.lanes[other] = Some(reader);
            self.bend(column, other, '╮');
        }
    }

    fn columns_to(&self, node: usize) -> Vec<usize> {
        (0..self.lanes.len()).filter(|&column| self.lanes[column] == Some(node)).collect()
    }

    fn free_column(&mut self) -> usize {
        self.free_column_from(0)
    }

    fn free_column_after(&mut self, column: usize) -> usize {
        self.free_column_from(column + 1)
    }

    fn free_column_from(&mut self, from: usize) -> usize {
        let free = (from..self.lanes.len()).find(|&column| self.lanes[column].is_none());
        free.unwrap_or_else(|| {
            self.lanes.push(None);
            self.lanes.len() - 1
        })
    }

    /// `├─╮` or `├─╯` from one column to another on its right.
    fn bend(&mut self, from: usize, to: usize, corner: char) {
        let mut line = String::new();
        for (column, lane) in self.lanes.iter().enumerate() {
            let mark = match (column, lane) {
                (column, _) if column == from => '├',
                (column, _) if column == to => corner,
                (column, Some(_)) if column > from && column < to => '┼',
                (column, None) if column > from && column < to => '─',
                (_, Some(_)) => '│',
                (_, None) => ' ',
            };
            line.push(mark);
            line.push(if column >= from && column < to { '─' } else { ' ' });
        }
        self.push(&line);
    }

    fn line(&mut self, node: Option<usize>, text: &str) {
        let mut line = String::new();
        for (column, lane) in self.lanes.iter().enumerate() {
            line.push(match (node == Some(column), lane) {
                (true, _) => '●',
                (false, Some(_)) => '│',
                (false, None) => ' ',
            });
            line.push(' ');
        }
        line.push_str(text);
        self.push(&line);
    }

    fn push(&mut self, line: &str) {
        self.text.push_str(line.trim_end());
        self.text.push('\n');
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drawn(edges: &[(&str, &[usize])]) -> String {
        let vertices: Vec<Vertex> = edges
            .iter()
            .map(|(title, inputs)| Vertex {
                inputs: inputs.to_vec(),
                title: (*title).to_owned(),
                details: Vec::new(),
            })
            .collect();
        draw(&vertices)
    }

    #[test]
    fn a_chain_is_one_lane() {
        assert_eq!(drawn(&[("a", &[]), ("b", &[0]), ("c", &[1])]), "● a\n● b\n● c\n");
    }

    #[test]
    fn a_node_with_two_readers_splits_its_lane() {
        assert_eq!(drawn(&[("a", &[]), ("b", &[0]), ("c", &[0])]), "● a\n├─╮\n● │ b\n  ● c\n");
    }

    #[test]
    fn inputs_of_one_node_come_together() {
        assert_eq!(
            drawn(&[("a", &[]), ("b", &[]), ("c", &[]), ("join", &[0, 2]), ("end", &[1])]),
            "● a\n│ ● b\n│ │ ● c\n├─┼─╯\n● │   join\n  ●   end\n"
        );
    }

    #[test]
    fn a_node_may_read_another_twice() {
        assert_eq!(drawn(&[("a", &[]), ("self-join", &[0, 0])]), "● a\n├─╮\n├─╯\n●   self-join\n");
    }
}
