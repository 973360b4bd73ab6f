# Times that differ by rounding only, and what the R package survival makes of them.
# Run in this folder: Rscript tied_times.R
# Writes its own simulated input (tied_times_input.csv) and what R says of it. The same month is
# reached by adding steps up, by multiplying and by dividing, so that the last digits differ.
suppressMessages(library(survival))
set.seed(20250301)

n <- 160
x1 <- round(rnorm(n), 3)
x2 <- round(rnorm(n), 1)
group <- sample(1:3, n, replace = TRUE)
death <- rexp(n, 0.06 * exp(0.5 * x1 - 0.3 * x2))
end <- runif(n, 5, 40)
visit <- ceiling(pmin(death, end) / 0.7)
event <- as.integer(death <= end)
added <- cumsum(rep(0.7, max(visit)))[visit]
back <- 42 - rev(cumsum(rep(0.7, 60)))[visit + 1]
route <- sample(1:4, n, replace = TRUE)
time <- ifelse(route == 1, added, ifelse(route == 2, visit * 0.7,
               ifelse(route == 3, visit * 7 / 10, back)))
input <- data.frame(time = sprintf("%.17g", time), event, x1, x2, group)
write.csv(input, "tied_times_input.csv", row.names = FALSE, quote = FALSE)
input$time <- time
stopifnot(length(unique(time)) > 1.4 * length(unique(visit)), abs(time - visit * 0.7) < 1e-9)

rows <- list()
add <- function(model, name, value, index = seq_along(value) - 1) {
  rows[[length(rows) + 1]] <<- data.frame(model, name, index, value = sprintf("%.17g", value))
}
for (fix in c(TRUE, FALSE)) {
  tight <- coxph.control(eps = 1e-14, iter.max = 60, toler.chol = 1e-15, timefix = fix)
  key <- if (fix) "" else "_unmended"
  for (ties in c("efron", "breslow")) {
    fit <- coxph(Surv(time, event) ~ x1 + x2, input, ties = ties, control = tight)
    model <- paste0(ties, key)
    add(model, "coef", coef(fit))
    add(model, "se", sqrt(diag(vcov(fit))))
    add(model, "log_likelihood", fit$loglik[2])
  }
  curve <- survfit(Surv(time, event) ~ 1, input, timefix = fix, conf.type = "log-log")
  add(paste0("curve", key), "time", curve$time)
  add(paste0("curve", key), "survival", curve$surv)
  add(paste0("curve", key), "at_risk", curve$n.risk)
  add(paste0("curve", key), "events", curve$n.event)
}
index <- concordance(Surv(time, event) ~ x1, input, reverse = TRUE)
add("concordance", "value", index$concordance)
add("concordance", "variance", index$var)
add("logrank", "statistic", survdiff(Surv(time, event) ~ group, input)$chisq)
write.csv(do.call(rbind, rows), "tied_times.csv", row.names = FALSE, quote = FALSE)
