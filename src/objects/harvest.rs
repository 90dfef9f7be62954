//! Methods of the handles of harvest sources and jobs.

#[cfg(feature = "main-harvest")]
mod catalogue {
    use super::super::shared::changes;
    use crate::main::builder;
    use crate::main::types::{
        HarvestJob, HarvestJobPreview, HarvestJobPreviewStatus, HarvestSource, HarvestSourceInput, HarvestSourceUpdate,
    };
    use crate::objects::{HarvestJobHandle, HarvestSourceHandle, Wait};
    use crate::{Client, Result};

    impl Client {
        /// Creates a source to harvest (`create_harvest_source`), which an administrator has to accept.
        ///
        /// # Errors
        ///
        /// Returns an error if the call fails.
        pub async fn create_harvest_source(&self, source: HarvestSourceInput) -> Result<HarvestSource> {
            Ok(self.main().create_harvest_source().body(source).send().await?.into_inner())
        }
    }

    impl HarvestSourceHandle {
        /// Reads the source with its last run (`get_harvest_source`).
        ///
        /// # Errors
        ///
        /// Returns an error if the call fails.
        pub async fn get(&self) -> Result<HarvestSource> {
            Ok(self.client.main().get_harvest_source().source(&self.id).send().await?.into_inner())
        }

        /// Reads the source, passes it to `change`, and sends the changed properties (`get_harvest_source`,
        /// `update_harvest_source`); see [Updates](crate::objects#updates).
        ///
        /// # Errors
        ///
        /// Returns an error if one of the two calls fails.
        pub async fn update(
            &self,
            change: impl FnOnce(HarvestSourceUpdate) -> HarvestSourceUpdate,
        ) -> Result<HarvestSource> {
            let read = self.get().await?;
            let before = HarvestSourceUpdate::from(read.clone());
            let Some(changed_fields) = changes(&before, &change(before.clone()), &[])? else { return Ok(read) };
            let call = self.client.main().update_harvest_source().source(&self.id).body(HarvestSourceUpdate::new());
            Ok(call.call().body(&changed_fields).send().await?.into_inner())
        }

        /// Deletes the source (`delete_harvest_source`).
        ///
        /// # Errors
        ///
        /// Returns an error if the call fails.
        pub async fn delete(&self) -> Result<()> {
            self.client.main().delete_harvest_source().source(&self.id).send().await?;
            Ok(())
        }

        /// Returns what a run would harvest (`preview_harvest_source`).
        ///
        /// # Errors
        ///
        /// Returns an error if the call fails.
        pub async fn preview(&self) -> Result<HarvestJobPreview> {
            Ok(self.client.main().preview_harvest_source().source(&self.id).send().await?.into_inner())
        }

        /// Lists the runs, the latest first (`list_harvest_jobs`).
        pub fn jobs(&self) -> builder::ListHarvestJobs<'_> {
            self.client.main().list_harvest_jobs().source(&self.id)
        }

        /// Requests a run (`run_harvest_source`), which starts later.
        ///
        /// # Errors
        ///
        /// Returns an error if the call fails.
        pub async fn run(&self) -> Result<HarvestSource> {
            Ok(self.client.main().run_harvest_source().source(&self.id).send().await?.into_inner())
        }

        /// Requests a run and waits for its end. It may have failed: see its `status` and `errors`.
        ///
        /// ```no_run
        /// # async fn example(client: datagouv::Client) -> datagouv::Result<()> {
        /// use std::time::Duration;
        /// use datagouv::main::types::HarvestJobPreviewStatus;
        /// use datagouv::objects::Wait;
        ///
        /// let wait = Wait::up_to(Duration::from_secs(3600));
        /// let job = client.harvest_source("a-slug-or-id").run_and_wait(wait).await?;
        /// assert_eq!(job.status, HarvestJobPreviewStatus::Done);
        /// # Ok(())
        /// # }
        /// ```
        ///
        /// # Errors
        ///
        /// Returns an error if a call fails, or the deadline passes ([`is_timeout`](crate::Error::is_timeout)).
        pub async fn run_and_wait(&self, wait: Wait) -> Result<HarvestJob> {
            let before = self.get().await?.last_job.map(|job| job.id);
            self.run().await?;
            let mut poller = wait.start();
            loop {
                let job = self.get().await?.last_job.filter(|job| before.as_ref() != Some(&job.id));
                match job {
                    Some(job) if is_finished(&job.status) => return Ok(job),
                    job => {
                        let state = || match &job {
                            Some(job) => format!("the run {} is still `{}`", job.id, job.status),
                            None => format!("no run of the source {} has begun", self.id),
                        };
                        poller.pause(state).await?;
                    }
                }
            }
        }

        /// Schedules runs by a crontab line such as `0 4 * * *` (`schedule_harvest_source`).
        ///
        /// # Errors
        ///
        /// Returns an error if the call fails.
        pub async fn schedule(&self, crontab: impl Into<String>) -> Result<HarvestSource> {
            let call = self.client.main().schedule_harvest_source().source(&self.id).body(crontab.into());
            Ok(call.send().await?.into_inner())
        }

        /// Removes the schedule (`unschedule_harvest_source`).
        ///
        /// # Errors
        ///
        /// Returns an error if the call fails.
        pub async fn unschedule(&self) -> Result<()> {
            self.client.main().unschedule_harvest_source().source(&self.id).send().await?;
            Ok(())
        }
    }

    impl HarvestJobHandle {
        /// Reads the run (`get_harvest_job`).
        ///
        /// # Errors
        ///
        /// Returns an error if the call fails.
        pub async fn get(&self) -> Result<HarvestJob> {
            Ok(self.client.main().get_harvest_job().job(&self.id).send().await?.into_inner())
        }

        /// Lists the harvested items (`list_harvest_job_items`).
        pub fn items(&self) -> builder::ListHarvestJobItems<'_> {
            self.client.main().list_harvest_job_items().job(&self.id)
        }

        /// Waits for the end of the run. It may have failed: see its `status` and `errors`.
        ///
        /// # Errors
        ///
        /// Returns an error if a call fails, or the deadline passes ([`is_timeout`](crate::Error::is_timeout)).
        pub async fn wait(&self, wait: Wait) -> Result<HarvestJob> {
            let mut poller = wait.start();
            loop {
                let job = self.get().await?;
                if is_finished(&job.status) {
                    return Ok(job);
                }
                poller.pause(|| format!("the run {} is still `{}`", self.id, job.status)).await?;
            }
        }
    }

    /// Returns whether a run has ended. An unknown status counts as running, until the deadline of the wait.
    fn is_finished(status: &HarvestJobPreviewStatus) -> bool {
        use HarvestJobPreviewStatus::{Done, DoneErrors, Failed};
        matches!(status, Done | DoneErrors | Failed)
    }
}
