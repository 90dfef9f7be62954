//! Images: avatars, logos, banners.

use std::fmt;

use crate::{Error, File, Result};

/// An image to send, with the part of it that is wanted.
///
/// ```
/// # fn main() -> datagouv::Result<()> {
/// use datagouv::File;
/// use datagouv::files::{CropBox, Image};
///
/// let image = Image::new(File::from_bytes("logo.png", &b"..."[..])).crop(CropBox::new(0, 0, 200, 200)?);
/// # let _ = image;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct Image {
    file: File,
    crop: Option<CropBox>,
}

/// The part of an image that is wanted, in pixels from its upper left corner.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct CropBox {
    left: u32,
    upper: u32,
    right: u32,
    lower: u32,
}

impl CropBox {
    /// From the left and upper edge to the right and lower one, which are the first beyond it. It must lie
    /// within the image, which the server sees to.
    ///
    /// # Errors
    ///
    /// Where nothing is between the edges.
    pub fn new(left: u32, upper: u32, right: u32, lower: u32) -> Result<Self> {
        let crop = Self { left, upper, right, lower };
        if left < right && upper < lower {
            Ok(crop)
        } else {
            Err(Error::request(format!("nothing of an image is within {crop} (left, upper, right, lower)")))
        }
    }
}

impl fmt::Display for CropBox {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{},{},{},{}", self.left, self.upper, self.right, self.lower)
    }
}

impl Image {
    /// A whole image: PNG, JPEG or WebP.
    pub fn new(file: File) -> Self {
        Self { file, crop: None }
    }

    /// Only a part of it.
    pub fn crop(mut self, crop: CropBox) -> Self {
        self.crop = Some(crop);
        self
    }
}

impl From<File> for Image {
    fn from(file: File) -> Self {
        Self::new(file)
    }
}

/// The forms that send an image, all alike.
macro_rules! forms {
    ($($feature:literal: $($form:ident),+;)*) => {$($(
        #[cfg(feature = $feature)]
        impl From<Image> for crate::main::types::$form {
            fn from(image: Image) -> Self {
                let form = Self::new(image.file);
                match image.crop {
                    Some(crop) => form.bbox(crop.to_string()),
                    None => form,
                }
            }
        }
    )+)*};
}

forms! {
    "main-me": MyAvatarForm;
    "main-organizations": OrganizationLogoForm, ResizeOrganizationLogoForm, OrganizationBannerUploadForm;
    "main-posts": PostImageForm, ResizePostImageForm;
    "main-reuses": ReuseImageForm;
    "main-users": UserAvatarForm;
    "main-visualizations": VisualizationImageForm;
}

#[cfg(feature = "main-me")]
impl crate::objects::MeHandle {
    /// Gives the holder of the key another avatar (`my_avatar`). Tells its URL.
    ///
    /// # Errors
    ///
    /// Where the server refuses the image, or no answer comes.
    pub async fn set_avatar(&self, image: impl Into<Image>) -> Result<String> {
        let answer = self.client.main().my_avatar().body(image.into()).send().await?;
        Ok(answer.into_inner().image)
    }
}

#[cfg(feature = "main-users")]
impl crate::objects::UserHandle {
    /// Gives the user another avatar (`user_avatar`), as an administrator may. Tells its URL.
    ///
    /// # Errors
    ///
    /// Where the server refuses the image, or no answer comes.
    pub async fn set_avatar(&self, image: impl Into<Image>) -> Result<String> {
        let answer = self.client.main().user_avatar().user(&self.id).body(image.into()).send().await?;
        Ok(answer.into_inner().image)
    }
}

#[cfg(feature = "main-organizations")]
impl crate::objects::OrganizationHandle {
    /// Gives the organization another logo (`organization_logo`). Tells its URL.
    ///
    /// # Errors
    ///
    /// Where the server refuses the image, or no answer comes.
    pub async fn set_logo(&self, image: impl Into<Image>) -> Result<String> {
        let answer = self.client.main().organization_logo().org(&self.id).body(image.into()).send().await?;
        Ok(answer.into_inner().image)
    }

    /// Gives the organization another banner (`organization_banner_upload`). Tells its URL.
    ///
    /// # Errors
    ///
    /// Where the server refuses the image, or no answer comes.
    pub async fn set_banner(&self, image: impl Into<Image>) -> Result<String> {
        let answer = self.client.main().organization_banner_upload().org(&self.id).body(image.into()).send().await?;
        Ok(answer.into_inner().image)
    }
}

#[cfg(feature = "main-reuses")]
impl crate::objects::ReuseHandle {
    /// Gives the reuse another image (`reuse_image`). Tells its URL.
    ///
    /// # Errors
    ///
    /// Where the server refuses the image, or no answer comes.
    pub async fn set_image(&self, image: impl Into<Image>) -> Result<String> {
        let answer = self.client.main().reuse_image().reuse(&self.id).body(image.into()).send().await?;
        Ok(answer.into_inner().image)
    }
}
