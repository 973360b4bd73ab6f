# Reference values of tests/stats/classification/test_reclassification.py, on utility_input.csv
# (utility.R). Packages survival, Hmisc. Run in this folder: Rscript reclassification.R
suppressMessages({library(survival); library(Hmisc)})
rows <- list()
add <- function(model, name, value) {
  rows[[length(rows) + 1]] <<- data.frame(model, name, index = seq_along(value) - 1,
                                          value = sprintf("%.17g", as.vector(value)))
}
d <- read.csv("utility_input.csv")
n <- nrow(d)
cuts <- c(0.2, 0.4)
# Classes as numbers from 0 to 1, so that improveProb counts moves between them.
class_of <- function(p) findInterval(p, cuts) / 4
pairs <- list(continuous = d[c("p", "other")],
              categorical = data.frame(class_of(d$p), class_of(d$other)))
for (kind in names(pairs)) {
  r <- improveProb(pairs[[kind]][[1]], pairs[[kind]][[2]], d$label)
  add(kind, "total", c(r$nri, r$se.nri, r$z.nri))
  add(kind, "events", c(r$nri.ev, r$se.nri.ev, r$z.nri.ev))
  add(kind, "nonevents", c(r$nri.ne, r$se.nri.ne, r$z.nri.ne))
  add(kind, "shares", c(r$pup.ev, r$pdown.ev, r$pup.ne, r$pdown.ne))
  if (kind == "continuous") {
    add("idi", "total", c(r$idi, r$se.idi, r$z.idi))
    add("idi", "parts", c(r$improveSens, r$improveSpec))
  }
}

# With censoring, by survfit in those moved up and those moved down. The error is the infinitesimal
# jackknife: shares by hand, curves from survfit's influence matrices.
horizon <- 24
curve <- function(member) {
  fit <- survfit(Surv(time, event) ~ 1, data = d, subset = which(member), influence = 1)
  at <- max(which(fit$time <= horizon))
  influence <- numeric(n)
  influence[member] <- -fit$influence.surv[, at]
  list(risk = 1 - fit$surv[at], influence = influence)
}
for (kind in c("continuous", "categorical")) {
  change <- if (kind == "continuous") sign(d$risk2 - d$risk) else
    sign(findInterval(d$risk2, cuts) - findInterval(d$risk, cuts))
  all <- curve(rep(TRUE, n))
  part <- lapply(c(up = 1, down = -1), function(way) {
    member <- change == way
    c(curve(member), list(share = mean(member), moved = (member - mean(member)) / n))
  })
  # Share of all moved that way with the event, and without it, with influences.
  with <- lapply(part, function(g) list(value = g$share * g$risk,
    influence = g$moved * g$risk + g$share * g$influence))
  without <- lapply(part, function(g) list(value = g$share * (1 - g$risk),
    influence = g$moved * (1 - g$risk) - g$share * g$influence))
  ev <- (with$up$value - with$down$value) / all$risk
  ne <- (without$down$value - without$up$value) / (1 - all$risk)
  ev.i <- (with$up$influence - with$down$influence - ev * all$influence) / all$risk
  ne.i <- (without$down$influence - without$up$influence + ne * all$influence) / (1 - all$risk)
  name <- paste0("survival_", kind)
  norm <- function(v) sqrt(sum(v^2))
  add(name, "total", c(ev + ne, norm(ev.i + ne.i), (ev + ne) / norm(ev.i + ne.i)))
  add(name, "events", c(ev, norm(ev.i), ev / norm(ev.i)))
  add(name, "nonevents", c(ne, norm(ne.i), ne / norm(ne.i)))
  add(name, "shares", c(with$up$value / all$risk, with$down$value / all$risk,
                        without$up$value / (1 - all$risk), without$down$value / (1 - all$risk)))
}
write.csv(do.call(rbind, rows), "reclassification.csv", row.names = FALSE, quote = FALSE)
