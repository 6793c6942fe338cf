//! Columns of values without parts.

use std::ops::Range;
use std::sync::Arc;

use arrow_array::types::{
    ArrowPrimitiveType, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type,
};
use arrow_array::{ArrayRef, BinaryArray, BooleanArray, Decimal128Array, PrimitiveArray, StringArray};
use arrow_buffer::{Buffer, OffsetBuffer};
use seatun_api::Result;

use super::{Generator, count};
use crate::draw::Draw;

/// Types of whole numbers.
pub(super) trait Whole: ArrowPrimitiveType {
    fn widen(value: Self::Native) -> i64;
    /// The value must be of the type's range.
    fn narrow(value: i64) -> Self::Native;
}

macro_rules! whole_types {
    ($($array_type:ty => $native:ty),*) => {$(
        impl Whole for $array_type {
            fn widen(value: $native) -> i64 {
                i64::from(value)
            }

            fn narrow(value: i64) -> $native {
                // Between two values of the type, so that nothing is cut off.
                value as $native
            }
        }
    )*};
}

whole_types!(Int8Type => i8, Int16Type => i16, Int32Type => i32, Int64Type => i64);

/// Whole numbers from `min` to below `max`; `min` itself if they are equal.
pub(super) struct RangeWholes<T: Whole> {
    pub min: T::Native,
    pub max: T::Native,
}

impl<T: Whole> Generator for RangeWholes<T> {
    fn fill(&self, draw: Draw, rows: Range<u64>, _: i32) -> Result<ArrayRef> {
        let min = T::widen(self.min);
        // The distance of two 64-bit numbers fits in 64 bits without a sign.
        let span = T::widen(self.max).wrapping_sub(min).cast_unsigned();
        let values = rows.map(|row| T::narrow(min.wrapping_add(draw.below(row, span.max(1)).cast_signed())));
        Ok(Arc::new(PrimitiveArray::<T>::from_iter_values(values)))
    }
}

/// Numbers picked from a list, which has at least one.
pub(super) struct Picked<T: ArrowPrimitiveType>(pub Vec<T::Native>);

impl<T: ArrowPrimitiveType> Generator for Picked<T> {
    fn fill(&self, draw: Draw, rows: Range<u64>, _: i32) -> Result<ArrayRef> {
        let values = rows.map(|row| draw.pick(row, &self.0).unwrap_or_default());
        Ok(Arc::new(PrimitiveArray::<T>::from_iter_values(values)))
    }
}

/// Types of floats.
pub(super) trait Real: ArrowPrimitiveType {
    fn widen(value: Self::Native) -> f64;
    /// The nearest value of the type, below `max` if that was.
    fn narrow(value: f64, max: Self::Native) -> Self::Native;
}

impl Real for Float32Type {
    fn widen(value: f32) -> f64 {
        f64::from(value)
    }

    fn narrow(value: f64, max: f32) -> f32 {
        let near = value as f32;
        if near >= max && value < f64::from(max) { max.next_down() } else { near }
    }
}

impl Real for Float64Type {
    fn widen(value: f64) -> f64 {
        value
    }

    fn narrow(value: f64, _: f64) -> f64 {
        value
    }
}

/// Floats from `min` to below `max`, rounded to `scale` digits after the point if it is set.
pub(super) struct RangeFloats<T: Real> {
    pub min: T::Native,
    pub max: T::Native,
    pub scale: Option<u32>,
}

impl<T: Real> Generator for RangeFloats<T> {
    fn fill(&self, draw: Draw, rows: Range<u64>, _: i32) -> Result<ArrayRef> {
        let (min, max) = (T::widen(self.min), T::widen(self.max));
        let values = rows.map(|row| {
            let fraction = draw.fraction(row);
            // Not min + fraction * (max - min): the distance may be infinite.
            let value = min * (1.0 - fraction) + max * fraction;
            T::narrow(self.scale.map_or(value, |scale| rounded(value, scale)), self.max)
        });
        Ok(Arc::new(PrimitiveArray::<T>::from_iter_values(values)))
    }
}

/// Half away from zero.
fn rounded(value: f64, scale: u32) -> f64 {
    let factor = 10_f64.powi(i32::try_from(scale).unwrap_or(i32::MAX));
    let result = (value * factor).round() / factor;
    if result.is_finite() { result } else { value }
}

/// Booleans.
pub(super) struct Booleans;

impl Generator for Booleans {
    fn fill(&self, draw: Draw, rows: Range<u64>, _: i32) -> Result<ArrayRef> {
        let values: Vec<bool> = rows.map(|row| draw.at(row) >> 63 == 1).collect();
        Ok(Arc::new(BooleanArray::from(values)))
    }
}

/// Decimals of any digits that the type has room for, not negative.
pub(super) struct Decimals {
    pub precision: u8,
    pub scale: i8,
}

impl Generator for Decimals {
    fn fill(&self, draw: Draw, rows: Range<u64>, _: i32) -> Result<ArrayRef> {
        let bound = 10_u128.pow(u32::from(self.precision.min(38)));
        let (high, low) = (draw.child(0), draw.child(1));
        let values = rows.map(|row| {
            let wide = (u128::from(high.at(row)) << 64) | u128::from(low.at(row));
            // Below 10^38, which a signed number of 128 bits can hold.
            (wide % bound).cast_signed()
        });
        let array = Decimal128Array::from_iter_values(values);
        Ok(Arc::new(array.with_precision_and_scale(self.precision, self.scale)?))
    }
}

/// Texts picked from a list, which has at least one.
pub(super) struct PickedTexts(pub Vec<String>);

impl Generator for PickedTexts {
    fn fill(&self, draw: Draw, rows: Range<u64>, _: i32) -> Result<ArrayRef> {
        let bound = self.0.len() as u64;
        let texts = rows.map(|row| {
            let item = usize::try_from(draw.below(row, bound)).unwrap_or(0);
            self.0.get(item).map(String::as_str).unwrap_or_default()
        });
        Ok(Arc::new(StringArray::from_iter_values(texts)))
    }

    fn weight(&self) -> u64 {
        self.0.iter().map(|text| text.len() as u64).max().unwrap_or(0) + 4
    }
}

/// Letters of both cases, as strings or as bytes, all of one length.
pub(super) struct Letters {
    pub length: usize,
    pub binary: bool,
}

impl Generator for Letters {
    fn fill(&self, draw: Draw, rows: Range<u64>, _: i32) -> Result<ArrayRef> {
        let count = count(&rows);
        let numbers = self.length.div_ceil(8) as u64;
        let mut bytes = Vec::with_capacity(count.saturating_mul(self.length));
        for row in rows {
            let mut left = self.length;
            for part in 0..numbers {
                let letters = draw.at(row.wrapping_mul(numbers).wrapping_add(part)).to_le_bytes().map(letter);
                let taken = left.min(letters.len());
                bytes.extend_from_slice(&letters[..taken]);
                left -= taken;
            }
        }
        let offsets = OffsetBuffer::from_lengths(std::iter::repeat_n(self.length, count));
        let bytes = Buffer::from_vec(bytes);
        Ok(match self.binary {
            true => Arc::new(BinaryArray::try_new(offsets, bytes, None)?),
            false => Arc::new(StringArray::try_new(offsets, bytes, None)?),
        })
    }

    fn weight(&self) -> u64 {
        self.length as u64 + 4
    }
}

fn letter(byte: u8) -> u8 {
    const LETTERS: &[u8; 52] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    LETTERS[(usize::from(byte) * LETTERS.len()) >> 8]
}

/// Bytes of vectors: `count` numbers of `width` (1 or 2) bytes, little endian, random where the mask is set.
pub(super) struct Words {
    pub count: usize,
    pub width: usize,
    pub fixed: u16,
    pub mask: u16,
}

impl Generator for Words {
    fn fill(&self, draw: Draw, rows: Range<u64>, _: i32) -> Result<ArrayRef> {
        let count = count(&rows);
        let length = self.count * self.width;
        let mut bytes = Vec::with_capacity(count.saturating_mul(length));
        for row in rows {
            let row = draw.child(row);
            for index in 0..self.count as u64 {
                // The lowest 16 bits of a random number.
                let word = self.fixed | (row.at(index) as u16 & self.mask);
                bytes.extend_from_slice(&word.to_le_bytes()[..self.width]);
            }
        }
        let offsets = OffsetBuffer::from_lengths(std::iter::repeat_n(length, count));
        Ok(Arc::new(BinaryArray::try_new(offsets, Buffer::from_vec(bytes), None)?))
    }

    fn weight(&self) -> u64 {
        (self.count * self.width) as u64 + 4
    }
}
