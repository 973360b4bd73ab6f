# Reference points of ROC curves at times of follow-up (riskRegression), of the patients of
# time_dependent_input.csv. Run in this folder: Rscript time_dependent_roc.R
suppressMessages({library(riskRegression); library(prodlim); library(survival)})
d <- read.csv("time_dependent_input.csv")
times <- c(8, 16, 24)
rows <- list()
for (data in c("exact", "rounded")) {
  d$time <- d[[data]]
  risk <- sapply(times, function(t) 1 - d[[paste0("bad_", t)]])
  s <- Score(list(bad = risk), formula = Hist(time, event) ~ 1, data = d, times = times,
             plots = "ROC", metrics = "auc", cens.model = "km", se.fit = FALSE)
  points <- as.data.frame(s$ROC$plotframe)
  points <- points[points$model == "bad", c("times", "risk", "TPR", "FPR")]
  rows[[data]] <- cbind(data = data, signif(points, 17))
}
options(digits = 17)
write.csv(do.call(rbind, rows), "time_dependent_roc.csv", row.names = FALSE, quote = FALSE)
