# Reference values of ROC analysis (package pROC), calibration, proportions and multiplicity (base R).
# Run in this folder: Rscript classification.R
# Writes its own simulated input (classification_input.csv, ..._other.csv) and what R says of it.
suppressMessages(library(pROC))
set.seed(20240608)

digits <- function(x) ifelse(is.na(x), "nan", sprintf("%.17g", x))
save_long <- function(rows, file) {
  table <- do.call(rbind, rows)
  table$value <- digits(table$value)
  write.csv(table, file, row.names = FALSE, quote = FALSE)
}

# Unequal classes; smooth, heavily tied and useless scores; predicted probabilities, miscalibrated.
simulate <- function(n, share) {
  label <- as.integer(runif(n) < share)
  smooth <- round(rnorm(n) + 0.8 * label, 4)
  tied <- round(rnorm(n) + 0.7 * label)
  noise <- round(rnorm(n), 4)
  probability <- round(plogis(-0.5 + 1.6 * smooth), 4)
  data.frame(label, smooth, tied, noise, probability)
}
input <- simulate(97, 0.25)
other <- simulate(61, 0.4)
write.csv(input, "classification_input.csv", row.names = FALSE, quote = FALSE)
write.csv(other, "classification_other.csv", row.names = FALSE, quote = FALSE)

rows <- list()
add <- function(model, name, value, index = 0) {
  rows[[length(rows) + 1]] <<- data.frame(model, name, index, value)
}
curve <- function(table, score) {
  roc(table$label, table[[score]], levels = c(0, 1), direction = "<", quiet = TRUE)
}
scores <- c("smooth", "tied", "noise")
for (s in scores) {
  found <- curve(input, s)
  add(s, "auc", as.numeric(auc(found)))
  add(s, "variance", var(found, method = "delong"))
  bounds <- ci.auc(found, method = "delong", conf.level = 0.95)
  add(s, "low", bounds[1])
  add(s, "high", bounds[3])
  bounds <- ci.auc(found, method = "delong", conf.level = 0.8)
  add(s, "low80", bounds[1])
  add(s, "high80", bounds[3])
  unpaired <- roc.test(found, curve(other, s), method = "delong", paired = FALSE)
  add(s, "unpaired_t", unpaired$statistic)
  add(s, "unpaired_p", unpaired$p.value)
  for (second in setdiff(scores, s)) {
    paired <- roc.test(found, curve(input, second), method = "delong", paired = TRUE)
    add(paste(s, second, sep = "_"), "paired_z", paired$statistic)
    add(paste(s, second, sep = "_"), "paired_p", paired$p.value)
  }
  points <- coords(found, "all", ret = c("threshold", "sensitivity", "specificity"))
  points <- points[order(-points$threshold), ]
  for (j in seq_len(nrow(points))) {
    add(s, "sensitivity", points$sensitivity[j], j - 1)
    add(s, "specificity", points$specificity[j], j - 1)
  }
}
save_long(rows, "auc.csv")

rows <- list()
predictor <- qlogis(input$probability)
tight <- glm.control(epsilon = 1e-15, maxit = 100)
line <- glm(input$label ~ predictor, family = binomial, control = tight)
large <- glm(input$label ~ 1, offset = predictor, family = binomial, control = tight)
# Standard errors come from the weights of the last step but one: start once more at the solution.
line <- update(line, start = coef(line))
large <- update(large, start = coef(large))
add("line", "intercept", coef(line)[1])
add("line", "slope", coef(line)[2])
add("line", "intercept_se", sqrt(vcov(line)[1, 1]))
add("line", "slope_se", sqrt(vcov(line)[2, 2]))
add("large", "intercept", coef(large)[1])
add("large", "se", sqrt(vcov(large)[1, 1]))
add("brier", "value", mean((input$probability - input$label)^2))
save_long(rows, "calibration.csv")

counts <- expand.grid(successes = c(0, 1, 3, 17, 29, 30), trials = 30, level = c(0.95, 0.8))
counts <- rbind(counts, data.frame(successes = c(0, 1, 1), trials = c(1, 1, 2), level = 0.95))
bounds <- t(mapply(function(k, n, level) {
  suppressWarnings(c(prop.test(k, n, conf.level = level, correct = FALSE)$conf.int,
                     binom.test(k, n, conf.level = level)$conf.int))
}, counts$successes, counts$trials, counts$level))
counts$wilson_low <- digits(bounds[, 1])
counts$wilson_high <- digits(bounds[, 2])
counts$exact_low <- digits(bounds[, 3])
counts$exact_high <- digits(bounds[, 4])
write.csv(counts, "proportions.csv", row.names = FALSE, quote = FALSE)

p <- c(0.001, 0.008, 0.039, 0.041, 0.042, 0.06, 0.074, NA, 0.205, 0.212, 0.216, 0.222, 0.251, 0.269,
       0.275, 0.34, 0.341, 0.384, NA, 0.569, 0.594, 0.696, 0.762, 0.94, 0.942, 0.975, 0.986, 1, 0.008)
p <- sample(p)
table <- data.frame(p = digits(p))
for (method in c("BH", "BY", "holm", "bonferroni")) {
  table[[tolower(method)]] <- digits(p.adjust(p, method))
}
write.csv(table, "multiplicity.csv", row.names = FALSE, quote = FALSE)
